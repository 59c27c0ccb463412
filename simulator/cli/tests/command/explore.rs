//! `sansim explore`.

use std::{fs, process::Command, thread::sleep, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::place::{Place, SmallDisk, text, wait_for};

/// An array with a planted bug, and few things that may happen to it.
const PLANTED: &str = r#"title = "a write after a unit attention is lost"
[guest]
multipath = { pg_init_retries = 5 }
[array]
personality = "rdac"
canary = "lost-write"
luns = [{ size = "64MiB", owner = "A" }]
[workload]
rate = 50
[explore]
may = ["attentions", "links"]
during = "3s"
quiet = "2s"
laws_off = ["errors", "paths", "flow", "loops"]
[[expect]]
disks = 4
"#;

fn explore(place: &Place, scenario: &str) -> Command {
    let file = place.scenario(scenario);
    let mut command = place.sansim();
    command.arg("explore").arg(file).arg("--memory").arg(place.path().join("memory"));
    command
}

/// The lines of JSON of this kind.
fn lines(output: &std::process::Output, kind: &str) -> Vec<Value> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines.filter(|line| line["kind"] == kind).collect()
}

#[test]
fn a_planted_bug_is_found_made_short_and_known_the_next_time() {
    let place = Place::new();
    let first =
        explore(&place, PLANTED).args(["--runs", "16", "--jobs", "2", "--json"]).output().unwrap();
    assert_eq!(first.status.code(), Some(1), "{}", text(&first));
    // Another story that loses a write in another way may be a finding of its own.
    let findings = lines(&first, "finding");
    let found = findings.first().unwrap_or_else(|| panic!("{}", text(&first)));
    assert_eq!(found["finding"]["law"], "bytes");
    assert_eq!(found["finding"]["fails"], 10, "it fails ten times of ten");
    assert_eq!(found["finding"]["same_bytes"], true);
    assert!(found["finding"]["lines"].as_u64() <= Some(12), "{found}");

    // The file fails by the law, and passes if what happens in it is left out.
    let dir = found["directory"].as_str().unwrap();
    let file = format!("{dir}/scenario.toml");
    let run = |file: &str| place.run(std::path::Path::new(file)).output().unwrap();
    let failed = run(&file);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed));
    assert!(text(&failed).contains("corrupt"), "{}", text(&failed));
    let whole = fs::read_to_string(&file).unwrap();
    let (before, step) = whole.split_once("[[step]]").unwrap();
    let (_, after) = step.split_once("[[expect]]").unwrap();
    let without = place
        .scenario(&format!("{before}[[expect]]\nio = {{ reads = \">= 1\" }}\n[[expect]]{after}"));
    assert_eq!(run(without.to_str().unwrap()).status.code(), Some(0), "the step is needed");
    assert!(fs::read_to_string(format!("{dir}/index.html")).unwrap().contains("sansim run"));

    // The search goes on where it ended, and what it meets again is not reported again.
    let second = explore(&place, PLANTED).args(["--runs", "4", "--json"]).output().unwrap();
    assert!(second.status.code() <= Some(1), "{}", text(&second));
    let names = |findings: &[serde_json::Value]| -> Vec<String> {
        findings.iter().map(|it| it["finding"]["name"].to_string()).collect()
    };
    let before = names(&findings);
    let again = names(&lines(&second, "finding"));
    assert!(again.iter().all(|name| !before.contains(name)), "{again:?} and {before:?}");
}

#[test]
fn what_cannot_be_explored_is_refused() {
    let place = Place::new();
    let refused = |scenario: &str, why: &str| {
        let output = explore(&place, scenario).args(["--runs", "1"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(why), "{}", text(&output));
    };
    let with = |explore: &str| PLANTED.replace("may = [\"attentions\", \"links\"]", explore);
    refused(&with("may = []"), "nothing may happen");
    refused(&with("may = [\"port-groups\"]"), "cannot happen here");
    let other = PLANTED.replace("canary = \"lost-write\"\n", "");
    let by_itself = other.replace(
        "[[expect]]",
        "[[fault]]\nwhen = { op = \"WRITE\", nth = 20 }\nthen = { corrupt = \"bit-flip\" }\n[[expect]]",
    );
    refused(&by_itself, "breaks the law `bytes` by itself");
    let memory = place.path().join("memory/memory.json");
    fs::write(&memory, r#"{"form":1,"sansim":"0.0.1"}"#).unwrap();
    refused(&other, "was made by sansim 0.0.1");
}

#[test]
fn an_interrupt_leaves_nothing_and_prints_the_result() {
    let place = Place::new();
    let mut command = explore(&place, PLANTED);
    command.args(["--for", "10m", "--json"]);
    let memory = place.path().join("memory");
    let child = searching(&mut command, &memory);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert_eq!(lines(&output, "result").len(), 1);
    let left = fs::read_dir(&memory).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|it| it.file_name().to_string_lossy().starts_with("sansim-")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(place.left_over().is_empty() && place.qemus().is_empty());
}

/// Starts an exploration, and waits until its first stories are being told.
fn searching(command: &mut Command, memory: &std::path::Path) -> std::process::Child {
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for("the search to begin", || {
        fs::read_to_string(memory.join("memory.json"))
            .is_ok_and(|it| it.contains("\"next\":{\"1\""))
    });
    child
}

#[test]
fn a_story_in_which_qemu_dies_is_kept_and_the_search_goes_on() {
    let place = Place::new();
    let memory = place.path().join("memory");
    let mut command = explore(&place, PLANTED);
    command.args(["--runs", "4", "--json"]);
    let child = searching(&mut command, &memory);
    // A QEMU may be killed when its story has ended: then it is the next one's turn.
    let list = memory.join("died.ndjson");
    wait_for("a story to come to no end", || {
        if let Some(qemu) = place.qemus().first().filter(|_| !list.exists()) {
            let _ = Command::new("kill").args(["-KILL", &qemu.to_string()]).output();
            sleep(Duration::from_millis(200));
        }
        list.exists()
    });
    let output = child.wait_with_output().unwrap();
    assert!(output.status.code() <= Some(1), "{}", text(&output));
    let result = lines(&output, "result").remove(0);
    assert_eq!(result["progress"]["stories"], 4, "{result}");
    assert!(result["progress"]["died"].as_u64() >= Some(1), "{result}");
    // Its story is a scenario that passes: it was not the story's fault.
    let died = fs::read_to_string(&list).unwrap();
    let died: Value = serde_json::from_str(died.lines().next().unwrap()).unwrap();
    let scenario = std::path::Path::new(died["scenario"].as_str().unwrap());
    assert!(
        scenario.starts_with(&memory) && died["why"].as_str().unwrap().contains("QEMU"),
        "{died}"
    );
    let check = place.sansim().arg("check").arg(scenario).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
}

#[test]
fn a_full_disk_in_mid_search_is_said_to_be_one_and_the_memory_can_be_used_again() {
    let place = Place::new();
    let Some(small) = SmallDisk::mount(&place, "8m") else { return };
    let memory = small.0.join("memory");
    let file = place.scenario(PLANTED);
    let mut command = place.sansim();
    command.args(["explore", "--runs", "16", "--json", "--memory"]).args([&memory, &file]);
    let child = searching(&mut command, &memory);
    let filler = small.0.join("filler");
    let _ = fs::write(&filler, vec![0; 8 << 20]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("what was found until then is kept"), "{}", text(&output));
    assert!(place.qemus().is_empty());
    fs::remove_file(&filler).unwrap();
    let mut command = place.sansim();
    command.args(["explore", "--runs", "1", "--json", "--memory"]).args([&memory, &file]);
    let output = command.output().unwrap();
    assert!(output.status.code() <= Some(1), "{}", text(&output));
}
