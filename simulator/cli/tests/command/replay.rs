//! `sansim replay`: the result is identical, even if the guest was stopped and inspected in between.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use crate::{
    guest::STORY,
    place::{Place, summary, text},
};

/// Makes a run in exact time; returns its directory.
pub(crate) fn run(place: &Place) -> PathBuf {
    let file = place.scenario(STORY);
    let output = place.run(&file).args(["--time", "skip", "--seed", "7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let latest = place.out().join("latest").canonicalize().unwrap();
    assert_eq!(summary(place)["parts"]["sansim"], env!("CARGO_PKG_VERSION"));
    latest
}

fn command(place: &Place, run: &PathBuf, more: &[&str]) -> Command {
    let mut command = place.sansim();
    command.arg("replay").arg(run).arg("--out").arg(place.out()).args(more);
    command
}

fn replay(place: &Place, run: &PathBuf, more: &[&str]) -> Output {
    command(place, run, more).output().expect("sansim")
}

/// Checks a replay's exit code, and that its output contains `parts`.
fn assert_said(output: &Output, code: i32, parts: &[&str]) {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

#[test]
fn a_replay_is_identical_and_one_byte_that_is_not_is_named() {
    let place = Place::new();
    let run = run(&place);
    assert_said(&replay(&place, &run, &[]), 0, &["identical: "]);
    let path = run.join("events.ndjson");
    let mut events = fs::read(&path).unwrap();
    let line = events.iter().take_while(|byte| **byte != b'\n').count() + 2;
    assert_eq!(events[line..line + 4], *b"\"t\":");
    events[line + 4] = b'7';
    fs::write(&path, events).unwrap();
    assert_said(&replay(&place, &run, &[]), 1, &["differs", "event 2,"]);
    assert!(place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
}

#[test]
fn a_story_that_was_held_goes_on_as_if_nothing_had_been() {
    let place = Place::new();
    let run = run(&place);
    for until in ["400ms", "step:step-1", "event:40", "verdict"] {
        let output = replay(&place, &run, &["--until", until]);
        assert_said(&output, 0, &["held at ", "map lun0: ", "identical: "]);
    }
    let late = replay(&place, &run, &["--until", "event:99999"]);
    assert_said(&late, 0, &["did not reach event:99999", "identical: "]);
    let wrong = replay(&place, &run, &["--until", "step:nap"]);
    assert_said(&wrong, 2, &["there is no step `nap`: known are step-1"]);
}

/// The events of a fork's run.
fn events_of_fork(place: &Place, number: u32) -> String {
    let wanted = format!("-fork{number}-");
    let entries = fs::read_dir(place.out()).unwrap().flatten();
    let found = entries.map(|entry| entry.path()).find(|p| p.to_string_lossy().contains(&wanted));
    let directory = found.expect("the fork has a directory");
    let summary = fs::read_to_string(directory.join("summary.json")).unwrap();
    assert!(summary.contains("\"boot\": \"checkpoint\""), "{summary}");
    fs::read_to_string(directory.join("events.ndjson")).unwrap()
}

#[test]
fn a_story_goes_on_from_a_moment_of_another_as_it_would_have_from_its_beginning() {
    let place = Place::new();
    let run = run(&place);
    let same = place.scenario(STORY);
    let other = place.out().join("other.toml");
    fs::write(&other, format!("{STORY}\n[[step]]\nat = \"700ms\"\nfail = \"controller B\"\n"))
        .unwrap();
    let fork = |file: &PathBuf| ["--fork".to_owned(), file.display().to_string()];
    let [one, two] = [fork(&same), fork(&other)];
    let more = ["--until", "200ms", &one[0], &one[1], &two[0], &two[1]];
    let output = replay(&place, &run, &more);
    assert_said(&output, 1, &["saved in ", "identical: ", "fail"]);
    let told = fs::read_to_string(run.join("events.ndjson")).unwrap();
    assert_eq!(events_of_fork(&place, 1), told);
    let became = events_of_fork(&place, 2);
    let from_its_beginning = place.run(&other).args(["--time", "skip", "--seed", "7"]).output();
    assert_eq!(from_its_beginning.unwrap().status.code(), Some(1));
    let latest = place.out().join("latest/events.ndjson");
    assert_eq!(became, fs::read_to_string(latest).unwrap());
    assert_ne!(became, told);
    assert!(place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
}

#[test]
fn a_story_that_is_another_before_that_moment_does_not_go_on_from_it() {
    let place = Place::new();
    let run = run(&place);
    let early = place.out().join("early.toml");
    fs::write(&early, format!("{STORY}\n[[step]]\nat = \"10ms\"\nfail = \"controller B\"\n"))
        .unwrap();
    for (file, code, why) in [
        (early, 2, "another story than the one that was saved"),
        ("/nowhere".into(), 2, "/nowhere"),
    ] {
        let file = file.display().to_string();
        let output = replay(&place, &run, &["--until", "step:step-1", "--fork", &file]);
        assert_said(&output, code, &[why]);
    }
}

#[test]
fn what_is_not_a_run_or_has_changed_is_refused_with_the_reason() {
    let place = Place::new();
    let run = run(&place);
    assert_said(&replay(&place, &place.runtime(), &[]), 2, &["is it the directory of a run?"]);
    let path = run.join("summary.json");
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to, why) in [
        ("\"exact\": true", "\"exact\": false", "the run was not in exact time"),
        ("\"qemu\": \"QEMU", "\"qemu\": \"another QEMU", "QEMU: QEMU emulator version"),
        ("\"parts\": {", "\"ports\": {", "does not list the parts"),
        ("\"seed\": 7", "\"seed\": \"7", "is damaged, or not from sansim"),
    ] {
        assert!(whole.contains(from), "{from} in {whole}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        assert_said(&replay(&place, &run, &[]), 2, &[why]);
    }
    fs::write(&path, whole.replacen("\"parts\": {", "\"ports\": {", 1)).unwrap();
    assert_said(&replay(&place, &run, &["--force"]), 0, &["the result may differ", "identical: "]);
}

#[test]
fn gdb_looks_and_goes_and_the_story_stays_the_same() {
    if Command::new("gdb").arg("--version").output().is_err() {
        eprintln!("skipped: there is no gdb here (apt-get install gdb)");
        return;
    }
    let place = Place::new();
    let run = run(&place);
    let mut command = command(&place, &run, &["--until", "step:step-1", "--gdb"]);
    let mut sansim = command.stdout(Stdio::piped()).spawn().expect("sansim");
    let mut said = BufReader::new(sansim.stdout.take().expect("its output"));
    let gdb = loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it has ended");
        if let Some(arguments) = line.trim().strip_prefix("gdb -x ") {
            break arguments.to_owned();
        }
    };
    let mut looking = Command::new("gdb");
    looking.args(["-nx", "-batch", "-x"]).args(gdb.split(' '));
    looking.args(["-ex", "break send_mode_select", "-ex", "info registers rip"]);
    let looked = looking.args(["-ex", "delete", "-ex", "detach"]).output().expect("gdb");
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(sansim.wait().unwrap().code(), Some(0), "{}\n{rest}", text(&looked));
    assert_said(&looked, 0, &["Breakpoint 1 at 0x", "rip ", "detached"]);
    assert!(rest.contains("identical: "), "{rest}");
    assert!(place.qemus().is_empty());
}
