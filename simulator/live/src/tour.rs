//! The guided tours that are part of sansim: scenarios whose steps have captions.

use sansim_language::{Diagnostics, Scenario, Set, load_text};

/// The tours, by name.
macro_rules! tours {
    ($($name:literal,)*) => {
        const TOURS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../scenarios/tours/", $name, ".toml"))),)*
        ];
    };
}

tours! {
    "alua-transition",
    "controller-reboot",
    "marginal-path",
    "pg-init-retry",
    "reused-lun-number",
    "split-brain",
}

/// The names of the tours.
pub fn tours() -> impl Iterator<Item = &'static str> {
    TOURS.iter().map(|(name, _)| *name)
}

/// The scenario of the tour with this name; `None` if there is no such tour. `set` overrides values
/// of it.
///
/// # Errors
/// If a value in `set` does not fit.
pub fn tour(name: &str, set: &[Set]) -> Option<Result<Scenario, Diagnostics>> {
    let (name, text) = TOURS.iter().find(|(known, _)| *known == name)?;
    Some(load_text(name, text, set))
}

/// The captions of a scenario, in the order of its steps.
pub fn captions(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.steps.iter().filter_map(|step| step.caption.as_deref())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use sansim_language::Trigger;

    use super::*;

    fn each() -> impl Iterator<Item = Scenario> {
        tours().map(|name| tour(name, &[]).unwrap().unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn the_tours_are_those_of_the_library() {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/tours");
        let files = std::fs::read_dir(place).unwrap().map(|file| file.unwrap().path());
        let files: BTreeSet<_> =
            files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        assert!(files.iter().map(String::as_str).eq(tours()), "{files:?}");
        assert!(each().map(|scenario| scenario.name).eq(tours()));
        assert!(tour("no-such-tour", &[]).is_none());
    }

    #[test]
    fn captions_are_few_and_can_be_read_from_the_last_row() {
        for scenario in each() {
            let count = captions(&scenario).count();
            assert!((5..=8).contains(&count), "{}: {count} captions", scenario.name);
            for caption in captions(&scenario) {
                assert!(caption.chars().count() <= 280, "{}: {caption}", scenario.name);
            }
        }
    }

    #[test]
    fn captions_come_in_the_order_of_their_steps_and_no_step_follows_the_last() {
        for scenario in each() {
            let at = |step: &sansim_language::Step| match step.trigger {
                Trigger::At(at) => Some(at),
                Trigger::On { .. } => None,
            };
            let shown: Vec<_> =
                scenario.steps.iter().filter(|step| step.caption.is_some()).map(at).collect();
            assert!(shown.iter().all(Option::is_some), "{}", scenario.name);
            assert!(shown.is_sorted_by(|a, b| a < b), "{}", scenario.name);
            let last = scenario.steps.iter().filter_map(at).max();
            assert_eq!(shown.last().copied().flatten(), last, "{}", scenario.name);
        }
    }
}
