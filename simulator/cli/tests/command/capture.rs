//! `sansim run --capture` and `sansim replay --capture`: what tshark reads in a run's traffic is what its events tell.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

use serde_json::Value;

use crate::place::{Place, summary, text};

/// A rule has its hand in a failover. Sense data, a takeover and reads are in it.
const STORY: &str = r#"
title = "a takeover that is refused at first"
seed = 1
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[workload]
pattern = "verify"
[[fault]]
name = "not yet"
when = { op = "MODE SELECT", controller = "B", first = 1 }
then = { sense = "06/2a/01" }
[[step]]
at = "500ms"
fail = "controller A"
[[expect]]
by = "30s"
owner = { lun = 0, controller = "B" }
io = { errors = 0, corrupt = 0 }
"#;

/// Whether tshark is there. If not, that is said, even where the output of tests is captured.
fn has_tshark() -> bool {
    let there = Command::new("tshark").arg("--version").output().is_ok();
    if !there {
        let thread = thread::current();
        let test = thread.name().unwrap_or("a test");
        let _ = writeln!(
            io::stderr(),
            "\nSKIPPED: {test}: tshark is not installed. On Debian: scripts/setup tshark"
        );
    }
    there
}

fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.env("HOME", capture.parent().unwrap()).env_remove("XDG_CONFIG_HOME");
    let output = command.arg("-2").arg("-r").arg(capture).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn fields(capture: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut arguments = vec!["-Y", filter, "-T", "fields"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", *field]));
    let said = tshark(capture, &arguments);
    said.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn run(place: &Place, file: &Path, more: &[&str]) -> (Output, PathBuf) {
    let mut command = place.run(file);
    let output = command.args(["--time", "skip"]).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    (output, place.out().join("latest").canonicalize().unwrap())
}

/// The commands in a run's events, by number.
fn commands(run: &Path) -> BTreeMap<u64, Value> {
    let events = fs::read_to_string(run.join("events.ndjson")).unwrap();
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let commands = events.filter(|event| event["kind"] == "command");
    commands.map(|event| (event["seq"].as_u64().unwrap(), event)).collect()
}

/// Microseconds of the story: the capture begins it at 1970-01-02.
fn micros(epoch: &str) -> i64 {
    let (seconds, nanos) = epoch.split_once('.').unwrap();
    let nanos: i64 = nanos.parse().unwrap();
    let all = (seconds.parse::<i64>().unwrap() - 86_400) * 1_000_000_000 + nanos;
    // As events.ndjson rounds.
    (all as f64 / 1e3).round() as i64
}

#[test]
fn tshark_reads_what_the_events_tell_and_the_story_is_the_same() {
    if !has_tshark() {
        return;
    }
    let place = Place::new();
    let file = place.scenario(STORY);
    let (_, plain) = run(&place, &file, &[]);
    assert!(!plain.join("capture.pcapng").exists());
    let (output, captured) = run(&place, &file, &["--capture=data"]);
    assert!(text(&output).contains("capture.pcapng"), "{}", text(&output));
    assert_eq!(summary(&place)["capture"]["cut"], false);
    let events = |run: &Path| fs::read(run.join("events.ndjson")).unwrap();
    assert!(events(&plain) == events(&captured), "the capture changes the story");

    let capture = captured.join("capture.pcapng");
    let told = commands(&captured);
    let names = [
        "iscsi.initiatortasktag",
        "frame.time_epoch",
        "frame.interface_name",
        "scsi_sbc.opcode",
        "iscsi.response_frame",
        "frame.comment",
    ];
    let sent = fields(&capture, "iscsi.opcode == 0x01", &names);
    assert_eq!(sent.len(), told.len());
    let answers = fields(
        &capture,
        "iscsi.opcode == 0x21",
        &[
            "iscsi.initiatortasktag",
            "iscsi.time",
            "iscsi.scsiresponse.status",
            "scsi.sns.key",
            "iscsi.request_frame",
        ],
    );
    let answers: BTreeMap<&str, &Vec<String>> =
        answers.iter().map(|row| (row[0].as_str(), row)).collect();
    let mut rules = 0;
    for row in &sent {
        let number = u64::from_str_radix(row[0].trim_start_matches("0x"), 16).unwrap();
        let event = &told[&number];
        let t = (event["t"].as_f64().unwrap() * 1e6).round() as i64;
        assert_eq!(micros(&row[1]), t, "{row:?} {event}");
        let path = format!("hba{} to {}", event["hba"], event["port"].as_str().unwrap());
        assert_eq!(row[2], path);
        let cdb = event["cdb"].as_str().unwrap();
        // Immediate data has the operation code of its command once more.
        let opcode = row[3].split(',').next().unwrap_or_default().trim_start_matches("0x");
        assert!(cdb.starts_with(opcode), "{row:?} {event}");
        if let Some(rule) = event["fault"].as_str() {
            assert!(row[5].contains(&format!("caught by fault rule {rule}")), "{row:?}");
            rules += 1;
        }
        let answer = answers.get(row[0].as_str());
        assert_eq!(answer.is_some(), event["response"] == "OK", "{event}");
        let Some(answer) = answer else { continue };
        assert_eq!(answer[3].is_empty(), event["sense"].is_null(), "{answer:?} {event}");
        let latency = answer[1].parse::<f64>().unwrap() - event["latency_s"].as_f64().unwrap();
        assert!(latency.abs() < 1e-6, "{answer:?} {event}");
        assert!(
            !row[4].is_empty() && !answer[4].is_empty(),
            "{row:?} and {answer:?} do not know each other"
        );
    }
    assert_eq!(rules, 1);
    // The kernel reads the first four bytes of a page alone, which Wireshark 4.0 calls malformed.
    let complaints = "(_ws.malformed && iscsi.opcode != 0x25) || tcp.analysis.flags";
    assert_eq!(tshark(&capture, &["-Y", complaints]), "");
    let reads = told.values().filter(|event| event["op"] == "READ(10)").count();
    let table = tshark(&capture, &["-q", "-z", "scsi,srt,0"]);
    let line = table.lines().find(|line| line.contains("Read(10)")).expect("a row of READ(10)");
    let counted = line.split("Read(10)").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(counted, reads.to_string(), "{table}");
    // The data of a page that the handler reads.
    let pages = fields(
        &capture,
        "iscsi.opcode == 0x25 && scsi.inquiry.evpd.pagecode",
        &["scsi.inquiry.evpd.pagecode"],
    );
    assert!(pages.iter().any(|row| row[0].contains("83")), "{pages:?}");
}

#[test]
fn a_run_without_a_capture_gets_one_by_its_replay_for_its_bundle() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let (_, run) = run(&place, &file, &[]);
    let (bundle, again) = (place.path().join("a.tar.gz"), place.path().join("again"));
    let sansim = |arguments: &[&str]| {
        let output = place.sansim().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    let (run_, again) = (run.to_str().unwrap(), again.to_str().unwrap());
    let said = sansim(&["bundle", run_, "--out", bundle.to_str().unwrap()]);
    assert!(said.contains("has no capture.pcapng") && said.contains("--capture"), "{said}");
    let said = sansim(&["replay", run_, "--capture", "--out", again]);
    assert!(said.contains("identical: ") && said.contains("captured: "), "{said}");
    let capture = fs::read(run.join("capture.pcapng")).unwrap();
    let other = place.path().join("b.tar.gz");
    let said = sansim(&["bundle", run_, "--out", other.to_str().unwrap()]);
    assert!(said.contains("capture.pcapng,"), "{said}");
    let said = sansim(&["replay", other.to_str().unwrap(), "--capture", "--out", again]);
    assert!(said.contains("identical: "), "{said}");
    // The same run has the same traffic, to the byte.
    let latest = Path::new(again).join("latest/capture.pcapng");
    assert!(fs::read(latest).unwrap() == capture, "the captures of one story differ");
}
