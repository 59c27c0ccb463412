//! A story is the same in real and in skipped time.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::place::{Place, text};

/// Scenarios without races in the guest (one HBA), whose outcome depends only on the MODE SELECT: a
/// success, rounds that all fail, and a command that a step holds.
const SHORT: [&str; 3] = ["success-at-once", "retries-exhausted", "held-mode-select"];

/// Medium accesses. Their number depends on the speed of the guest.
const MEDIUM: [&str; 5] = ["READ(", "WRITE(", "VERIFY(", "WRITE AND VERIFY(", "SYNCHRONIZE CACHE("];

/// The parts of a run's summary that are compared.
#[derive(Debug, PartialEq)]
struct Told {
    verdict: Value,
    expectations: Vec<(Value, Value)>,
    rounds: Value,
    faults: BTreeMap<String, Value>,
    control: BTreeMap<String, Value>,
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/rdac")
}

/// Runs scenarios in one kind of time; returns the results by scenario name.
fn run(time: &str, files: &[PathBuf]) -> BTreeMap<String, Told> {
    let place = Place::new();
    let mut sansim = place.sansim();
    sansim.arg("run").args(files).arg("--out").arg(place.out());
    sansim.args(["--accel", "tcg", "--time", time, "--seed", "7", "--jobs", "2"]);
    let output = sansim.output().expect("sansim");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let runs = fs::read_dir(place.out()).expect("run directories").flatten();
    // Skips `latest`, a link to one of the others.
    let own = runs.filter(|run| run.file_type().is_ok_and(|kind| kind.is_dir()));
    own.map(|run| told(&run.path(), time)).collect()
}

fn told(run: &Path, time: &str) -> (String, Told) {
    let text = fs::read_to_string(run.join("summary.json")).expect("summary.json");
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(summary["time"], time);
    let file = Path::new(summary["scenario"].as_str().expect("a file"));
    let expectations = summary["expectations"].as_array().expect("expectations");
    let table = |name: &str| -> BTreeMap<String, Value> {
        serde_json::from_value(summary[name].clone()).expect(name)
    };
    let mut control = table("commands");
    control.retain(|op, _| !MEDIUM.iter().any(|medium| op.starts_with(medium)));
    let told = Told {
        verdict: summary["verdict"].clone(),
        expectations: expectations.iter().map(|e| (e["text"].clone(), e["ok"].clone())).collect(),
        rounds: summary["rounds"].clone(),
        faults: table("faults"),
        control,
    };
    (file.file_stem().expect("a name").to_string_lossy().into_owned(), told)
}

/// Runs scenarios in both kinds of time and compares the results.
fn compare(files: &[PathBuf], forgive: impl Fn(&str, &mut Told)) {
    let (mut real, mut skip) = (run("real", files), run("skip", files));
    for runs in [&mut real, &mut skip] {
        assert!(!runs.is_empty());
        runs.iter_mut().for_each(|(name, told)| forgive(name, told));
    }
    assert_eq!(real.keys().collect::<Vec<_>>(), skip.keys().collect::<Vec<_>>());
    let differ = |name: &&String| real[*name] != skip[*name];
    let tell = |name: &String| format!("{name}\n real {:?}\n skip {:?}", real[name], skip[name]);
    let different: Vec<String> = real.keys().filter(differ).map(tell).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn three_scenarios_tell_the_same_in_real_and_in_skipped_time() {
    let files = SHORT.map(|name| scenarios().join(format!("{name}.toml")));
    compare(&files, |_, _| ());
}

#[test]
#[ignore = "takes a minute or more, as it runs everything in real time, too: \
            cargo test --release -p sansim --test command -- --ignored both_ways"]
fn every_scenario_tells_the_same_in_real_and_in_skipped_time() {
    compare(&[scenarios()], |name, told| match name {
        // The fault affects reads and writes: its count is the number in flight when the path failed.
        "both-controllers-refuse" => forget(&mut told.faults, "B's firmware does not fit"),
        // With two HBAs the number depends on a race in the guest: a MODE SELECT serves all paths that
        // are on scsi_dh_rdac's list for the controller when its work item runs. If the item runs after
        // both activations, one command is enough; if it runs between them, the second path sends another.
        // pg-init-retry showed both in real time. The number of rounds must be the same.
        "pg-init-retry" | "controller-lost-and-back" => {
            forget(&mut told.control, "MODE SELECT(10)");
        }
        _ => {}
    });
}

/// Removes a value that is not compared, but must exist.
fn forget(table: &mut BTreeMap<String, Value>, key: &str) {
    assert!(table.remove(key).is_some(), "{key} is not in {table:?}");
}
