//! The language as a whole: the scenarios that come with the project, their schema, and text that
//! is no scenario.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sansim_array::{Answer, Effect, Then};
use sansim_language::{
    Diagnostics, Scenario, Set, StepAction, Trigger, load, load_text, reference, resolved_toml,
    schema, short_toml,
};
use sansim_stage::{Act, Deadline};

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// Every scenario file of the project.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut all: Vec<_> =
        files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    all.extend(dirs.iter().flat_map(|dir| self::files(dir)));
    all.sort();
    all
}

/// What a scenario means, without where it came from.
fn meaning(mut scenario: Scenario) -> String {
    scenario.name = String::new();
    scenario.warnings = Diagnostics::default();
    scenario.untested = Diagnostics::default();
    format!("{scenario:#?}")
}

/// Whether the array takes what the language lets pass.
fn array_agrees(scenario: &Scenario) {
    struct Deaf;
    impl sansim_array::Observer for Deaf {
        fn command(&self, _: &sansim_array::CommandRecord) {}
        fn state(&self, _: &sansim_array::StateChange) {}
    }
    let config = scenario.setup.array_config(1);
    sansim_array::Array::new(config, std::sync::Arc::new(Deaf)).unwrap();
}

/// A scenario that uses every table and nearly every key.
const EVERYTHING: &str = include_str!("everything.toml");

#[test]
fn every_scenario_of_the_project_loads_and_survives_being_resolved() {
    let files = files(&scenarios());
    assert!(files.len() > 1, "no scenarios found");
    for file in files {
        let scenario = load(&file, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(scenario.warnings.is_empty(), "{}", scenario.warnings);
        array_agrees(&scenario);
        let resolved = resolved_toml(&scenario);
        let again = load_text("resolved", &resolved, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(meaning(again), meaning(scenario), "{}", file.display());
    }
}

/// Without the keys that have their default, a scenario is the same. Short files take long to write,
/// so this is a sample of the scenarios.
#[test]
fn a_scenario_is_the_same_without_defaults() {
    let files = files(&scenarios());
    for file in files.iter().step_by(9) {
        let scenario = load(file, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let short = short_toml(&scenario);
        let again = load_text("short", &short, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(again.warnings.is_empty(), "{}", again.warnings);
        assert_eq!(meaning(again), meaning(scenario), "{}", file.display());
    }
}

#[test]
fn a_scenario_without_defaults_is_short() {
    let file = scenarios().join("rdac/pg-init-retry.toml");
    insta::assert_snapshot!(short_toml(&load(&file, &[]).unwrap()));
}

#[test]
fn a_scenario_with_everything_survives_being_resolved() {
    let scenario =
        load_text("everything", EVERYTHING, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(scenario.warnings.is_empty(), "{}", scenario.warnings);
    array_agrees(&scenario);
    let resolved = resolved_toml(&scenario);
    let again = load_text("resolved", &resolved, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(resolved_toml(&again), resolved);
    assert_eq!(meaning(again), meaning(scenario));
}

#[test]
fn what_is_particular_to_a_family_survives_being_resolved() {
    for family in [
        "personality = \"emc\"\nemc = { failover_mode = \"alua\", model = \"VNX\", inquiry_version = 6 }",
        "personality = \"hp_sw\"\nhp_sw = { switch_over = \"3s\", moves = \"lun\" }",
        "personality = \"hw_handler\"\nhw_handler = { switch_over = \"3s\" }",
        "personality = \"alua\"\nalua = { tpgs = \"explicit\", groups = \"port\", scope = \"target\", \
         transition = \"2s\", reserved_bits = 5, supports = [\"active/optimized\", \"standby\"], \
         first_group = 0, unit_path_report = true }",
        "personality = \"alua\"\noui = \"00-60-16\"\ndesignators = [\"t10\", \"port-name\"]\n\
         relative_ports = { A0 = 17, B0 = 257 }\n\
         alua = { groups = [{ group = 0, ports = [\"A0\", \"B0\"] }, { group = 256, ports = [\"A1\", \"B1\"] }] }\n\
         captured = [{ page = \"rtpg\", hex = \"00000020 80ff0000 00010002 00000011 00000101 01ff0100 00000002 00000002 00000004\" }]",
    ] {
        let luns = "luns = [{ size = \"1MiB\", owner = \"A\" }]";
        let text = format!("title = \"t\"\n[array]\n{family}\n{luns}\n");
        let scenario = load_text("family", &text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let resolved = resolved_toml(&scenario);
        let again = load_text("resolved", &resolved, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(meaning(again), meaning(scenario));
    }
}

#[test]
fn a_scenario_with_everything_reads_well_in_words() {
    let scenario = load_text("everything", EVERYTHING, &[]).unwrap();
    let steps = scenario.steps.iter().map(|step| format!("{}: {step}\n", step.name));
    let expectations = scenario.expectations.iter().map(|e| format!("{e}\n"));
    insta::assert_snapshot!(steps.chain(expectations).collect::<String>());
}

#[test]
fn the_resolved_scenario_spells_out_every_default() {
    let file = scenarios().join("rdac/pg-init-retry.toml");
    insta::assert_snapshot!(resolved_toml(&load(&file, &[]).unwrap()));
}

#[test]
fn the_example_of_the_design_means_what_it_says() {
    let scenario = load(&scenarios().join("rdac/pg-init-retry.toml"), &[]).unwrap();
    assert_eq!(scenario.name, "pg-init-retry");
    assert_eq!(scenario.setup.guest.multipath.pg_init_retries, Some(5));
    assert_eq!(
        scenario.setup.guest.multipath.features(),
        ["queue_if_no_path", "pg_init_retries", "5"].map(str::to_owned)
    );
    let refused = Then::answered(Answer::Sense("06/2a/01".parse().unwrap()));
    assert!(
        matches!(&scenario.setup.faults[0].effect, Effect::OnCommands { then, .. } if *then == refused)
    );
    assert!(matches!(scenario.steps[0].trigger, Trigger::At(at) if at.as_secs() == 1));
    assert!(matches!(scenario.steps[0].action, StepAction::Act(Act::Array(_))));
    let by = std::time::Duration::from_secs(30);
    assert_eq!(scenario.expectations[0].when, Deadline::By(by));
    let groups = scenario.setup.path_groups(scenario.setup.main_lun());
    let names: Vec<Vec<String>> =
        groups.iter().map(|group| group.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(names, [["hba0:A0", "hba1:A1"], ["hba0:B0", "hba1:B1"]]);
}

#[test]
fn the_committed_schema_is_current() {
    let committed = std::fs::read_to_string(scenarios().join("schema.json")).unwrap();
    assert!(
        committed == schema(),
        "scenarios/schema.json is out of date; regenerate it with\n  \
         cargo run -p sansim -- schema > scenarios/schema.json"
    );
}

#[test]
fn every_scenario_of_the_project_keeps_to_the_schema() {
    let schema = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap());
    for file in files(&scenarios()) {
        let mut scenario = json(&std::fs::read_to_string(&file).unwrap()).unwrap();
        // An editor does not know what a model says.
        if scenario["array"].get("model").is_some() {
            scenario["array"]["personality"] = "rdac".into();
        }
        let wrong = validator.iter_errors(&scenario).map(|it| it.to_string()).next();
        assert_eq!(wrong, None, "{}", file.display());
    }
    assert!(validator.is_valid(&json(EVERYTHING).unwrap()));
    for wrong in ["[array]\nlunz = []", "[[step]]\nat = 1", "[[step]]\nfial = \"controller A\""] {
        assert!(!validator.is_valid(&json(&format!("title = \"t\"\n{wrong}")).unwrap()), "{wrong}");
    }
}

#[test]
fn the_committed_reference_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
    assert!(
        std::fs::read_to_string(page).unwrap() == reference(),
        "docs/reference.md is out of date; write it anew with\n  \
         cargo run -p sansim -- schema --reference > docs/reference.md"
    );
}

#[test]
fn the_command_line_sets_values() {
    let set = |text: &str| text.parse::<Set>().unwrap();
    let file = scenarios().join("rdac/pg-init-retry.toml");
    let sets = [
        set("guest.image=trixie"),
        set("guest.multipath.pg_init_retries=7"),
        set("limit=3m"),
        set("fault.0.then.sense=05/91/36"),
        set("workload={ pattern = \"read\", rate = 5 }"),
        set("hba.count=4"),
        set("expect.0.because=it is set"),
    ];
    let scenario = load(&file, &sets).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(scenario.setup.guest.image, "trixie");
    assert_eq!(scenario.setup.guest.multipath.pg_init_retries, Some(7));
    assert_eq!(scenario.limit.as_secs(), 180);
    assert_eq!(scenario.setup.workload.as_ref().unwrap().rate, 5);
    assert_eq!(scenario.setup.hbas.len(), 4);
    assert_eq!(scenario.expectations[0].because, "it is set");
    assert!(format!("{:?}", scenario.setup.faults).contains("key: 5, asc: 145, ascq: 54"));
    for wrong in ["", "=", "limit", ".a=1", "a..b=1"] {
        assert!(wrong.parse::<Set>().is_err(), "{wrong}");
    }
}

#[test]
fn a_file_that_is_not_there_is_no_scenario() {
    let wrong = load(Path::new("no/such/file.toml"), &[]).unwrap_err();
    assert!(wrong.to_string().contains("cannot read no/such/file.toml"), "{wrong}");
}

/// Scenario text with some of it overwritten: near enough to a scenario to get past the parser.
fn damaged() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "",
        "\"",
        "{",
        "}",
        "[",
        "]",
        "=",
        "\n",
        "-1",
        "\"A\"",
        "\"99s\"",
        "18446744073709551616",
        "true",
        "[[x]]",
        "nan",
        "\u{0}",
        "é",
        "a.b",
        "1979-05-27",
        "\"hba9:Z0\"",
        "0.5",
    ]);
    (prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, words), 1..6)).prop_map(
        |cuts| {
            let mut text = EVERYTHING.to_owned();
            for (at, length, word) in cuts {
                let mut start = at.index(text.len());
                let mut end = (start + length).min(text.len());
                while !text.is_char_boundary(start) {
                    start -= 1;
                }
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                text.replace_range(start..end, word);
            }
            text
        },
    )
}

fn look(text: &str, sets: &[Set]) {
    match load_text("damaged", text, sets) {
        Ok(scenario) => {
            let resolved = resolved_toml(&scenario);
            let again = load_text("resolved", &resolved, &[]).unwrap_or_else(|w| panic!("{w}"));
            assert_eq!(meaning(again), meaning(scenario));
        }
        Err(wrong) => {
            assert!(wrong.has_errors());
            assert!(!wrong.render(60, false).is_empty());
            wrong.iter().for_each(|one| drop(one.place()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*", more in "(?s).{0,200}") {
        look(&text, &[]);
        look(&more, &[]);
    }

    #[test]
    fn damaged_scenarios_never_panic(text in damaged()) {
        look(&text, &[]);
    }

    #[test]
    fn arbitrary_settings_never_panic(key in "[a-z0-9.]{1,20}", value in "\\PC*") {
        if let Ok(set) = format!("{key}={value}").parse::<Set>() {
            look(EVERYTHING, &[set]);
        }
    }
}

/// Bytes are a scenario that means the same when it is written with every default, or mistakes that can be shown.
fn scenario(bytes: &[u8]) {
    look(&String::from_utf8_lossy(bytes), &[]);
}

#[test]
fn any_bytes_are_a_scenario_or_mistakes() {
    sansim_fuzz::fuzz("scenarios", scenario);
}
