//! Several runs in one command: their order, times, and comparison. With a guest.

use std::process::Output;

use crate::{
    guest::STORY,
    place::{Place, summary, text},
};

/// The lines of `--json` output with this `kind`.
fn lines(output: &Output, kind: &str) -> Vec<serde_json::Value> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let parsed = stdout.lines().map(|line| serde_json::from_str(line).expect(line));
    parsed.filter(|line: &serde_json::Value| line["kind"] == kind).collect()
}

#[test]
fn repeated_runs_are_compared_and_timed_in_words() {
    let place = Place::new();
    let mut run = place.run(&place.scenario(STORY));
    run.args(["--time", "real", "--repeat", "2", "--jobs", "2", "--timings"]);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "(1 of 2)",
        "(2 of 2)",
        "control commands: ",
        "of 2 runs agree",
        "discovery ",
        "CPU: QEMU ",
        "scenarios per minute",
        "simulated seconds per second",
    ] {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

#[test]
fn repeated_runs_are_compared_and_timed_in_json() {
    let place = Place::new();
    let mut run = place.run(&place.scenario(STORY));
    run.args(["--time", "real", "--repeat", "3", "--seed", "7", "--timings", "--json"]);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let runs: Vec<_> = lines(&output, "verdict").iter().map(|line| line["run"].as_u64()).collect();
    assert_eq!(runs, [Some(1), Some(2), Some(3)]);
    let [repeat] = lines(&output, "repeat").try_into().expect("one line for all runs");
    assert_eq!((&repeat["runs"], &repeat["compared"]), (&3.into(), &"stories".into()));
    for part in ["control", "commands", "events"] {
        let agree = repeat[part]["agree"].as_u64().unwrap() as usize;
        let differ = repeat[part]["differences"].as_array().unwrap().len();
        assert_eq!(agree + differ, 3, "{part}: {repeat}");
        assert_ne!(repeat[part]["length"], 0, "{part}: {repeat}");
    }
    let timings = lines(&output, "timings");
    assert_eq!(timings.len(), 3);
    for line in &timings {
        let parts = line["timings"].as_object().unwrap().values();
        let sum: f64 = parts.map(|seconds| seconds.as_f64().unwrap()).sum();
        let wall = line["wall_s"].as_f64().unwrap();
        assert!(sum > 0.0 && sum <= wall, "{line}");
        assert!(line["cpu_s"]["qemu"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["cpu_s"]["sansim"].as_f64().unwrap() > 0.0, "{line}");
    }
    let [totals] = lines(&output, "totals").try_into().expect("one line at the end");
    assert_eq!(totals["runs"], 3);
}

#[test]
fn in_skipped_time_repeated_runs_are_identical() {
    let place = Place::new();
    let mut run = place.run(&place.scenario(STORY));
    let output = run
        .args(["--time", "skip", "--repeat", "5", "--seed", "7", "--jobs", "2", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let [repeat] = lines(&output, "repeat").try_into().expect("one line for all runs");
    assert_eq!((&repeat["runs"], &repeat["compared"]), (&5.into(), &"bytes".into()));
    assert_eq!(repeat["identical"], 5, "{repeat}");
    assert!(repeat["base"]["events"].as_u64() > Some(10), "{repeat}");
    assert_eq!(summary(&place)["exactness"], serde_json::json!({ "exact": true }));
}

#[test]
fn after_a_failure_nothing_is_started_if_so_wished() {
    let place = Place::new();
    let wrong = STORY.replace("io = { errors = 0,", "rounds = 9\nio = { errors = 0,");
    let file = place.scenario(&wrong);
    let output = place.run(&file).args(["--repeat", "3", "--fail-fast"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("1 fail, 2 not run"), "{said}");
}
