//! Models of arrays: data files with the keys of `[array]`. A scenario that names a model gets
//! every key of it that the scenario does not set itself.

use std::path::Path;

use crate::{Diagnostic, MAX_FILE, Set, beside, near, source::ModelText};

/// The models that are part of sansim, by name.
macro_rules! models {
    ($($name:literal,)*) => {
        const MODELS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../models/", $name, ".toml"))),)*
        ];
    };
}

models! {
    "compaq-eva-hsv110",
    "dec-hsg80",
    "dell-md3000",
    "dell-md36xx",
    "emc-clariion-cx3",
    "emc-clariion-fc4700",
    "emc-unity",
    "emc-vnx",
    "hp-eva-hsv100",
    "hp-msa1000",
    "hpe-3par",
    "ibm-ds4700",
    "ibm-ds5100",
    "lenovo-de-series",
    "netapp-e-series",
    "netapp-ontap",
    "pure-flasharray",
    "sun-6180",
}

/// Every model that is part of sansim: its name and the text of its file.
pub fn models() -> impl Iterator<Item = (&'static str, &'static str)> {
    MODELS.iter().copied()
}

/// The one-line description of a model, from its text.
pub fn description(text: &str) -> String {
    let table: Option<toml::Table> = text.parse().ok();
    let description = table.as_ref().and_then(|table| table.get("description")?.as_str());
    description.unwrap_or_default().to_owned()
}

/// A model that an array names.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The place of the array in the list of arrays; `None` if there is no list.
    pub(super) array: Option<usize>,
    pub(super) text: ModelText,
}

/// The models that the arrays of the scenario or the command line name. `scenario` is the path of the
/// scenario file, whose directory is searched for models of the user's own, with names that end in
/// `.toml`.
pub(super) fn chosen(scenario: &str, text: &str, sets: &[Set]) -> Result<Vec<Chosen>, Diagnostic> {
    let written: Option<toml::Table> = text.parse().ok();
    let arrays = written.as_ref().and_then(|table| table.get("array"));
    let of = |array: &toml::Value| array.get("model")?.as_str().map(str::to_owned);
    let set = |key: &str| sets.iter().rev().find_map(|set| set.value_of(key)).map(str::to_owned);
    let named: Vec<_> = match arrays {
        Some(toml::Value::Array(several)) => several
            .iter()
            .enumerate()
            .map(|(at, array)| (Some(at), set(&format!("array.{at}.model")).or(of(array))))
            .collect(),
        one => vec![(None, set("array.model").or(one.and_then(of)))],
    };
    let named = named.into_iter().filter_map(|(array, name)| Some((array, name?)));
    named.map(|(array, name)| Ok(Chosen { array, text: model(scenario, &name)? })).collect()
}

/// The model with this name, or the user's own.
fn model(scenario: &str, name: &str) -> Result<ModelText, Diagnostic> {
    if name.ends_with(".toml") {
        return own(scenario, name);
    }
    match MODELS.iter().find(|(known, _)| *known == name) {
        Some((name, text)) => {
            Ok(ModelText { name: format!("model {name}"), text: (*text).to_owned() })
        }
        None => {
            let names: Vec<_> = MODELS.iter().map(|(name, _)| *name).collect();
            let problem = format!("there is no model {name:?}");
            Err(Diagnostic::error(problem).help(near::help(name, &names)))
        }
    }
}

fn own(scenario: &str, file: &str) -> Result<ModelText, Diagnostic> {
    let name = Path::new(scenario).parent().unwrap_or(Path::new("")).join(file);
    let name = name.display().to_string();
    let text = beside::read(scenario, file, MAX_FILE)
        .map_err(|why| Diagnostic::error(format!("the model: {why}")))?;
    Ok(ModelText { name, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_text;

    fn scenario(array: &str) -> String {
        format!("title = \"t\"\n[array]\n{array}\nluns = [{{ size = \"1MiB\", owner = \"A\" }}]\n")
    }

    #[test]
    fn every_model_makes_an_array_and_says_what_it_is() {
        assert!(MODELS.is_sorted());
        for (name, text) in models() {
            let loaded = load_text("t", &scenario(&format!("model = {name:?}")), &[]);
            assert!(loaded.is_ok(), "{name}: {:?}", loaded.err());
            assert!(!description(text).is_empty(), "{name}");
        }
    }

    #[test]
    fn the_scenarios_own_keys_win_one_by_one() {
        let text = scenario(
            "model = \"emc-clariion-cx3\"\nrevision = \"9999\"\nemc = { inquiry_version = 5 }",
        );
        let array = load_text("t", &text, &[]).unwrap().setup.arrays.remove(0);
        assert_eq!(
            (array.identity.vendor.as_str(), array.identity.revision.as_str()),
            ("DGC", "9999")
        );
        let sansim_array::PersonalityConfig::Emc(emc) = array.personality else { panic!() };
        assert_eq!(emc.version, 5);
        assert_eq!(emc.inquiry, sansim_array::InquiryForm::Model("CX3-40f".into()));
    }

    #[test]
    fn a_model_can_be_chosen_by_the_command_line_and_a_slip_is_answered() {
        let set = "array.model=dec-hsg80".parse().unwrap();
        let array = load_text("t", &scenario("model = \"ibm-ds4700\""), &[set])
            .unwrap()
            .setup
            .arrays
            .remove(0);
        assert_eq!(array.identity.product, "HSG80");
        let wrong = load_text("t", &scenario("model = \"ibm-ds4800\""), &[]).unwrap_err();
        assert!(wrong.to_string().contains("ibm-ds4700"), "{wrong}");
    }

    #[test]
    fn a_model_of_ones_own_is_read_beside_the_scenario_and_its_mistakes_are_shown_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("story.toml").display().to_string();
        let model = |text: &str| std::fs::write(dir.path().join("mine.toml"), text).unwrap();
        let load = || load_text(&file, &scenario("model = \"mine.toml\""), &[]);
        assert!(load().unwrap_err().to_string().contains("the model: cannot read"));
        model("personality = \"hp_sw\"\nvendor = \"ACME\"\nproduct = \"A\"\n");
        assert_eq!(load().unwrap().setup.arrays[0].identity.vendor, "ACME");
        model("personality = \"hp_sw\"\nvendor = \"too long a vendor\"\n");
        let wrong = load().unwrap_err().to_string();
        assert!(wrong.contains("mine.toml") && wrong.contains("too long a vendor"), "{wrong}");
        model("personality = \"hp_sw\"\nvendr = \"ACME\"\n");
        assert!(load().unwrap_err().to_string().contains("unknown key `vendr`"));
        model("personality = ");
        assert!(load().unwrap_err().to_string().contains("mine.toml"));
    }
}
