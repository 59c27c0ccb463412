//! A verdict means that something was tested: what comes to nothing fails the run, what is missing skips it,
//! and every run that was asked for is accounted for.

use std::fs;

use crate::{
    guest::STORY,
    place::{Place, signal, start, summary, text, wait_for},
};

/// A story with one rule, one step and one expectation, all of which come to something.
const USED: &str = r#"
title = "everything is used"
run_for = "1s"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[hba]
count = 1
[[fault]]
name = "slow"
when = { op = "medium", first = 1 }
then = { delay = "1ms" }
[[step]]
name = "s"
at = "200ms"
run = ["true"]
[[expect]]
owner = { lun = 0, controller = "A" }
"#;

/// Runs a story that must end with this exit code; returns its summary.
fn ends(story: &str, code: i32) -> serde_json::Value {
    let place = Place::new();
    let file = place.scenario(story);
    let output = place.run(&file).args(["--seed", "7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    summary(&place)
}

#[test]
fn a_scenario_that_tests_nothing_is_refused() {
    let place = Place::new();
    // A program that must end with 0 is a test of its own.
    let nothing =
        USED[..USED.find("[[expect]]").unwrap()].replace("run = ", "optional = true\nrun = ");
    let file = place.scenario(&nothing);
    for command in ["check", "run"] {
        let output = place.sansim().arg(command).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("this scenario expects nothing"), "{said}");
    }
}

#[test]
fn what_came_to_nothing_fails_the_run_with_the_reason() {
    assert_eq!(ends(USED, 0)["idle"], serde_json::json!([]));
    let medium = "when = { op = \"medium\", first = 1 }";
    let activation = "when = { op = \"MODE SELECT\", controller = \"B\" }";
    let cases = [
        (USED.replace(medium, activation), "fault", "fault \"slow\" never matched"),
        (USED.replace("at = \"200ms\"", "on = { log = \"zzzz\" }"), "step", "never happened"),
        (USED.replace("\"true\"", "\"false\""), "program", "ended with code 1"),
        (
            USED.replace("owner = {", "kernel = \"< 2.6\"\nowner = {"),
            "expectations",
            "nothing was expected",
        ),
    ];
    for (story, of, what) in cases {
        let told = ends(&story, 1);
        assert_eq!(told["verdict"], "fail");
        assert_eq!(told["idle"].as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told["idle"][0]["of"], of, "{told}");
        assert!(told["idle"][0]["what"].as_str().unwrap().contains(what), "{told}");
        assert!(told["reason"].as_str().unwrap().starts_with("not tested: "), "{told}");
        if of != "expectations" {
            let table = if of == "fault" { "[[fault]]" } else { "[[step]]" };
            ends(&story.replace(table, &format!("{table}\noptional = true")), 0);
        }
    }
}

#[test]
fn another_failure_is_not_the_known_one() {
    let known = |seen: &str| {
        let known = format!(
            "known = {{ kernel = \">= 3\", because = \"a commit\", seen = {{ owner = \
             {{ lun = 0, controller = \"{seen}\" }} }} }}"
        );
        STORY.replace("group = { current = 2 }", &format!("group = {{ current = 2 }}\n{known}"))
    };
    let wrong = |story: &str| {
        let right = "by = \"20s\"\nowner = { lun = 0, controller = \"B\" }";
        story.replace(right, "at = \"15s\"\nowner = { lun = 0, controller = \"A\" }")
    };
    assert_eq!(ends(&wrong(&known("B")), 0)["verdict"], "known");
    let other = ends(&wrong(&known("B")).replace("current = 2", "current = 3"), 1);
    assert_eq!(other["expectations"][0]["symptom"]["seen"], false, "{other}");
    let reason = other["reason"].as_str().unwrap();
    assert!(reason.contains("not the failure that is known"), "{reason}");
}

#[test]
fn a_program_that_is_not_there_skips_the_run_with_its_name() {
    let place = Place::new();
    let file = place.scenario(&USED.replace("\"true\"", "\"sg_turz\", \"{disk:A0}\""));
    for (option, code) in [(None, 0), (Some("--no-skip"), 1)] {
        let output = place.run(&file).args(option).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        let summary = summary(&place);
        assert_eq!(summary["verdict"], "skipped");
        assert!(summary["reason"].as_str().unwrap().contains("needs sg_turz"), "{summary}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("skipped"), "{said}");
    }
}

#[test]
fn an_interrupted_suite_accounts_for_every_run() {
    let place = Place::new();
    let long = "run_for = \"100s\"";
    let first = place.file("a.toml", USED.replace("run_for = \"1s\"", long).as_bytes());
    let second = place.file("b.toml", USED.as_bytes());
    let junit = place.path().join("report.xml");
    let mut run = place.run(&first);
    run.arg(&second).args(["--time", "real", "--junit"]).arg(&junit);
    let child = start(run, &place.out());
    signal(child.id(), "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    let report = fs::read_to_string(&junit).unwrap();
    for part in ["tests=\"2\"", "a.toml", "b.toml", "type=\"interrupted\"", "type=\"not started\""]
    {
        assert!(report.contains(part), "{part}: {report}");
    }
    wait_for("QEMU to be gone", || place.qemus().is_empty());
    let runs = fs::read_dir(place.out()).unwrap().flatten();
    let mut events = runs.map(|run| run.path().join("events.ndjson")).filter(|it| it.is_file());
    let events = fs::read(events.next().expect("the events of the first run")).unwrap();
    assert!(events.last().is_none_or(|last| *last == b'\n'));
}

#[test]
fn a_suite_without_its_image_accounts_for_every_run() {
    let place = Place::new();
    let (first, second) =
        (place.file("a.toml", USED.as_bytes()), place.file("b.toml", USED.as_bytes()));
    let junit = place.path().join("report.xml");
    let mut run = place.run(&first);
    run.arg(&second).args(["--image", "no-such-image", "--repeat", "2", "--junit"]).arg(&junit);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let report = fs::read_to_string(&junit).unwrap();
    for part in ["tests=\"4\"", "a.toml", "b.toml", "type=\"not started\"", "no-such-image"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[test]
fn what_programs_did_and_printed_can_be_read_and_how_they_ended() {
    let steps = r#"run = ["sh", "-c", "cat /tmp/new.txt; echo wrong >&2"]
[[step]]
name = "file"
at = "100ms"
write = { path = "/tmp/new.txt", text = "hello\n" }
[[step]]
name = "crash"
at = "200ms"
run = ["sh", "-c", "kill -SEGV $$"]
[[step]]
name = "braces"
at = "200ms"
run = ["sh", "-c", "f() { echo {{a,b} ${{x:-y} {}; }; f"]
[[step]]
name = "late"
at = "200ms"
run = ["sleep", "100"]
timeout = "1500ms"
[[expect]]
ran = [
    { step = "s", code = 0, contains = "hello" },
    { step = "crash", killed_by = "SEGV" },
    { step = "braces", contains = "{a,b} y {}" },
    { step = "late", killed_by = "time limit" },
]
"#;
    let story = USED.replace("run = [\"true\"]\n", steps).replace("run_for = \"1s\"\n", "");
    ends(&story, 0);
    let place = Place::new();
    let output = place.run(&place.scenario(&story)).args(["--seed", "7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let latest = place.out().join("latest");
    let said =
        |args: &[&str]| place.sansim().arg("output").arg(&latest).args(args).output().unwrap();
    let printed = said(&["s"]);
    assert_eq!((&printed.stdout[..], &printed.stderr[..]), (&b"hello\n"[..], &b"wrong\n"[..]));
    let listed = text(&said(&[]));
    for line in
        ["s  exit code 0, 12 bytes", "crash  killed by SIGSEGV", "late  killed by time limit"]
    {
        assert!(listed.contains(line), "{listed}");
    }
    assert_eq!(said(&["nothing"]).status.code(), Some(2));
    let events = fs::read_to_string(latest.join("events.ndjson")).unwrap();
    let late: Vec<&str> =
        events.lines().filter(|line| line.contains("\"name\":\"late\"")).collect();
    assert!(late[0].starts_with("{\"t\":0.20") && late[0].contains("begun"), "{late:?}");
    assert!(late[1].starts_with("{\"t\":1.7") && late[1].contains("\"took_s\":1.5"), "{late:?}");
}
