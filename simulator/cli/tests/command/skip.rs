//! Skipped time: how a busy host, delays and long waits appear to the guest. All times are the guest's;
//! `ci/bench` measures the host's time, which no test asserts.

use std::process::Output;

use crate::{
    load::Load,
    place::{Place, summary, text},
};

/// One path to an array without faults. Tests put top-level keys before it, and tables after it.
const SAN: &str = r#"
title = "time is skipped"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[hba]
count = 1
[[expect]]
commands = { op = "INQUIRY", stage = "discovery", at_least = 1 }
"#;

/// One read of 4 KiB at a time, so that a slow command causes a gap of the same length.
const READS: &str = r#"
[workload]
pattern = "read"
queue_depth = 1
"#;

/// No workload: only the events of the story.
const QUIET: &str = r#"
[workload]
pattern = "none"
"#;

fn skip(place: &Place, keys: &str, tables: &str) -> Output {
    let file = place.scenario(&format!("{keys}\n{SAN}{tables}"));
    place.run(&file).args(["--time", "skip", "--seed", "7"]).output().expect("sansim")
}

/// Runs a story, which must pass; returns its summary.
fn pass(keys: &str, tables: &str) -> serde_json::Value {
    let place = Place::new();
    let output = skip(&place, keys, tables);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let summary = summary(&place);
    assert_eq!(summary["time"], "skip");
    assert_eq!(summary["accelerator"], "tcg");
    assert_eq!(summary["witness"]["guest"], summary["witness"]["array"]);
    summary
}

/// A figure of the workload, in seconds of the guest's time.
fn io(summary: &serde_json::Value, figure: &str) -> f64 {
    summary["io"][figure].as_f64().expect(figure)
}

/// A fault rule (`then`) and steps delay one read by this many seconds; the reads must continue after it.
fn assert_stall(seconds: f64, then: &str, steps: &str) {
    let run_for = format!("run_for = \"{}s\"", seconds + 2.0);
    let fault = format!(
        "[[fault]]\nname = \"slow\"\nwhen = {{ op = \"READ\", nth = 50 }}\nthen = {then}\n"
    );
    let summary = pass(&run_for, &format!("{READS}{fault}{steps}"));
    assert_eq!(summary["faults"]["slow"], 1);
    assert_eq!(summary["io"]["errors"], 0);
    assert!(io(&summary, "reads") > 100.0, "the reads go on afterwards: {}", summary["io"]);
    let stall = io(&summary, "longest_stall_s");
    assert!((seconds..seconds + 0.05).contains(&stall), "{stall} s instead of {seconds} s");
}

#[test]
fn reads_are_quick_however_busy_the_host_is() {
    let _load = Load::start();
    let summary = pass("run_for = \"200ms\"", &format!("{READS}rate = 0\n"));
    assert!(io(&summary, "reads") >= 1000.0, "{}", summary["io"]);
    assert!(io(&summary, "latency_p99_s") < 0.005, "{}", summary["io"]);
    assert!(io(&summary, "longest_stall_s") < 0.02, "{}", summary["io"]);
    assert_eq!(summary["io"]["errors"], 0);
}

/// Traces in the guest's kernel when a command starts, when it is in its virtqueue, and when the keeper
/// thread is woken; then does eight reads and prints the trace.
const TRACE: &str = r#"
[[step]]
at = "100ms"
write = { path = "/sys/kernel/tracing/kprobe_events", text = """
p:begun scsi_queue_rq
p:queued virtqueue_add_sgs
""" }
[[step]]
at = "200ms"
write = { path = "/sys/kernel/tracing/events/sched/sched_waking/filter", text = "comm == \"keeper\"" }
[[step]]
at = "300ms"
write = { path = "/sys/kernel/tracing/events/sched/sched_waking/enable", text = "1" }
[[step]]
at = "400ms"
write = { path = "/sys/kernel/tracing/events/kprobes/enable", text = "1" }
[[step]]
name = "read"
at = "500ms"
run = ["dd", "if={disk:A0}", "of=/dev/null", "bs=4096", "count=8", "iflag=direct"]
[[step]]
name = "trace"
on = { step = "read" }
run = ["cat", "/sys/kernel/tracing/trace"]
[[step]]
on = { step = "trace" }
end = true
"#;

/// The standard output of a step's program in the newest run.
fn stdout_of(place: &Place, step: &str) -> String {
    let path = place.out().join("latest/events.ndjson");
    let events = std::fs::read_to_string(path).expect("events.ndjson");
    let events = events.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let ran = |event: &serde_json::Value| event["kind"] == "ran" && event["name"] == step;
    let event = events.into_iter().find(ran).expect("the program has run");
    event["stdout"].as_str().expect("stdout").to_owned()
}

/// If the keeper were woken earlier, a preemptible kernel could let it ask while the queue is still empty;
/// nothing would wake it again.
#[test]
fn the_clocks_keeper_is_woken_when_a_command_is_in_its_queue() {
    let place = Place::new();
    let output = skip(&place, "", &format!("{QUIET}{TRACE}"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let trace = stdout_of(&place, "trace");
    let (mut begun, mut commands, mut woken) = (false, 0, 0);
    for line in trace.lines() {
        if line.contains(": begun:") {
            (begun, commands) = (true, commands + 1);
        } else if line.contains(": queued:") {
            begun = false;
        } else if line.contains(": sched_waking:") {
            assert!(!begun, "woken too early: {line}\n{trace}");
            woken += 1;
        }
    }
    assert!(commands >= 8, "{commands} commands in {trace}");
    assert!(woken >= 8, "woken {woken} times in {trace}");
}

#[test]
fn a_delay_of_ten_seconds_takes_ten_seconds() {
    assert_stall(10.0, "{ delay = \"10s\" }", "");
}

#[test]
fn a_delay_of_ten_seconds_takes_no_longer_on_a_busy_host() {
    let _load = Load::start();
    assert_stall(10.0, "{ delay = \"10s\" }", "");
}

#[test]
fn a_held_command_takes_as_long_as_a_step_lets_it_wait() {
    let release = "[[step]]\non = { held = \"gate\" }\nafter = \"7s\"\nrelease = \"gate\"\n";
    assert_stall(7.0, "{ hold = \"gate\" }", release);
}

#[test]
fn a_lost_command_takes_as_long_as_the_hbas_patience() {
    assert_stall(30.0, "{ lose = \"command\" }", "");
}

#[test]
fn ten_minutes_of_waiting_come_to_their_verdict() {
    let late = "[[step]]\nat = \"599s\"\nfail = \"controller B\"\n\
                [[expect]]\nat = \"598s\"\nowner = { lun = 0, controller = \"A\" }\n";
    let summary = pass("run_for = \"600s\"\nlimit = \"700s\"", &format!("{QUIET}{late}"));
    let simulated = summary["simulated_s"].as_f64().expect("simulated_s");
    assert!((600.0..600.05).contains(&simulated), "{simulated}");
    assert_eq!(summary["expectations"][0]["ok"], true);
}

#[test]
fn a_story_that_waits_for_ever_fails_at_its_limit_and_names_what_is_open() {
    let place = Place::new();
    // A program that outlasts the story, and an expectation whose `by` is the story's limit.
    let open = "[[step]]\nname = \"nap\"\nat = \"0s\"\nrun = [\"sleep\", \"1000\"]\n\
                timeout = \"2000s\"\n\
                [[expect]]\nby = \"90s\"\nowner = { lun = 0, controller = \"B\" }\n";
    let output = skip(&place, "limit = \"90s\"", &format!("{QUIET}{open}"));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let summary = summary(&place);
    assert_eq!(summary["verdict"], "fail");
    let reason = summary["reason"].as_str().expect("a reason");
    for part in ["limit of 90 s", "`nap`", "owner of LUN 0 is controller B"] {
        assert!(reason.contains(part), "{part:?} is missing: {reason}");
    }
    let simulated = summary["simulated_s"].as_f64().expect("simulated_s");
    assert!((90.0..90.05).contains(&simulated), "{simulated}");
}
