//! What a lab begins with when no scenario is given: an array model, multipathd, and some I/O.

use sansim_language::{Diagnostics, Scenario, Set, load_text, model::models};

/// The model of a lab when none is named: an array whose controllers each own LUNs, and to whose
/// activation a host can see everything.
pub const FIRST: &str = "ibm-ds5100";

/// The families that can be named in place of a model, each with the model that stands for it.
const FAMILIES: [(&str, &str); 4] = [
    ("rdac", "ibm-ds5100"),
    ("emc", "emc-clariion-cx3"),
    ("hp_sw", "hp-msa1000"),
    ("alua", "netapp-ontap"),
];

/// The scenario of a lab with this model, or with the model of this family. `None` if there is no
/// such model. `set` overrides values of it.
///
/// # Errors
/// If the model needs more than a lab gives it: a mistake in the model.
pub fn base(name: &str, set: &[Set]) -> Option<Result<Scenario, Diagnostics>> {
    let family = FAMILIES.iter().find(|(family, _)| *family == name);
    let model = family.map_or(name, |(_, model)| model);
    models().find(|(known, _)| *known == model)?;
    Some(load_text(model, &text(model), set))
}

fn text(model: &str) -> String {
    format!(
        r#"title = "a live lab: {model}"

[guest]
manager = "multipathd"

[array]
model = "{model}"
luns = [{{ size = "64MiB", owner = "A" }}, {{ size = "64MiB", owner = "B" }}]

[workload]
rate = 200
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_and_family_makes_a_lab() {
        let families = FAMILIES.iter().map(|(family, _)| *family);
        for name in models().map(|(name, _)| name).chain(families) {
            let scenario = base(name, &[]).expect("it is known");
            assert!(scenario.is_ok(), "{name}: {}", scenario.unwrap_err());
        }
        assert!(base(FIRST, &[]).is_some() && base("no-such-model", &[]).is_none());
    }
}
