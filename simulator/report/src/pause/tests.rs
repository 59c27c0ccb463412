//! Pauses with known causes.

use sansim_stage::event::{Change, CommandEvent, Event, GroupState, PathState, What};

use super::*;
use crate::testing::{self, told};

fn command(t: f64, op: &str, port: &str, latency_s: f64, answer: &str) -> Event {
    let command = match answer {
        "GOOD" => testing::command(op, port, None),
        response if response.contains(' ') => {
            CommandEvent { response: response.into(), ..testing::command(op, port, None) }
        }
        sense => testing::command(op, port, Some(sense)),
    };
    told(t, CommandEvent { latency_s, ..command })
}

fn path(t: f64, path: &str, state: PathState) -> Event {
    let (group, group_state) = (1, GroupState::Current);
    let what =
        What::Path { dev: String::new(), path: path.into(), state, fails: 1, group, group_state };
    Event { t, what }
}

fn io(what: IoKind, t: f64) -> Event {
    Event { t, what: What::Io { what, map: None, text: String::new(), offset: None } }
}

/// I/O until 1 s and from `until` on, with what happens in between.
fn paused(until: f64, between: Vec<Event>) -> Pause {
    let mut events = vec![command(0.99, "READ(10)", "A0", 0.01, "GOOD")];
    events.extend(between);
    events.extend([io(IoKind::StallBegin, 1.6), io(IoKind::StallEnd, until)]);
    events.push(command(until - 0.01, "READ(10)", "B0", 0.01, "GOOD"));
    let pause = longest(&events).unwrap();
    let sum: f64 = pause.by_cause.values().sum();
    assert!((sum - pause.seconds()).abs() < 1e-9, "{pause:?}");
    assert!((pause.from - 1.0).abs() < 1e-9 && (pause.to - until).abs() < 1e-9, "{pause:?}");
    pause
}

fn milliseconds(pause: &Pause) -> Vec<(Cause, i64)> {
    pause.by_cause.iter().map(|(cause, s)| (*cause, (s * 1000.0).round() as i64)).collect()
}

#[test]
fn the_time_between_activations_is_the_retrys() {
    let pause = paused(
        4.0,
        vec![
            command(1.0, "MODE SELECT(10)", "B0", 0.1, "06/2a/01"),
            command(3.1, "MODE SELECT(10)", "B0", 0.2, "GOOD"),
        ],
    );
    let expected = [(Cause::Activation, 300), (Cause::Retry, 2000), (Cause::Rest, 700)];
    assert_eq!(milliseconds(&pause), expected);
    assert!(pause.sentence().starts_with(
        "The longest pause of the I/O took 3.000 s, from 1.000 s to 4.000 s: 2.000 s pg_init retries and delays, "
    ));
    let retry = pause.parts.iter().find(|part| part.cause == Cause::Retry).unwrap();
    assert_eq!(retry.evidence, "MODE SELECT(10) to hba0:B0 LUN 0 at 1.000 s: 06/2a/01");
}

#[test]
fn a_lost_command_is_the_hbas_and_a_late_one_the_arrays() {
    let lost = paused(32.0, vec![command(1.0, "READ(10)", "A0", 30.0, "BAD TARGET")]);
    assert_eq!(milliseconds(&lost), [(Cause::HbaPatience, 30000), (Cause::Rest, 1000)]);
    let late = paused(3.0, vec![command(1.5, "TEST UNIT READY", "A0", 1.0, "GOOD")]);
    assert_eq!(milliseconds(&late), [(Cause::Array, 1000), (Cause::Rest, 1000)]);
}

#[test]
fn without_a_path_the_array_is_waited_for_first_and_then_the_checker() {
    let online =
        Change::Controller { controller: "A".into(), from: "failed".into(), to: "online".into() };
    let back = What::State { text: "controller A: failed -> online".into(), change: online };
    let pause = paused(
        20.0,
        vec![
            path(2.0, "hba0:A0", PathState::Failed),
            Event { t: 10.0, what: back },
            path(15.0, "hba0:A0", PathState::Active),
            path(2.0, "hba0:B0", PathState::Failed),
        ],
    );
    // B0 fails last in this list, after A0 is back: there is a path all the time.
    assert!(!pause.by_cause.contains_key(&Cause::NoPath));
    let pause = paused(
        20.0,
        vec![
            path(2.0, "hba0:A0", PathState::Failed),
            path(2.5, "hba0:B0", PathState::Failed),
            Event {
                t: 10.0,
                what: What::State {
                    text: "controller A: failed -> online".into(),
                    change: Change::Other,
                },
            },
            path(15.0, "hba0:A0", PathState::Active),
        ],
    );
    let expected = [(Cause::NoPath, 7500), (Cause::Checker, 5000), (Cause::Rest, 6500)];
    assert_eq!(milliseconds(&pause), expected);
}

#[test]
fn a_workload_that_does_not_run_is_no_pause() {
    let events = [
        command(1.0, "READ(10)", "A0", 0.01, "GOOD"),
        command(60.0, "READ(10)", "A0", 0.01, "GOOD"),
    ];
    assert_eq!(longest(&events), None);
    assert_eq!(longest(&[]), None);
}

#[test]
fn a_pause_without_an_end_lasts_to_the_end_of_the_story() {
    let mut events =
        vec![command(0.99, "READ(10)", "A0", 0.01, "GOOD"), io(IoKind::StallBegin, 1.5)];
    events.push(path(9.0, "hba0:A0", PathState::Failed));
    let pause = longest(&events).unwrap();
    assert!(pause.unfinished && (pause.seconds() - 8.0).abs() < 1e-9, "{pause:?}");
    assert!(pause.sentence().contains("to the end of the story"));
}

#[test]
fn a_command_that_is_never_answered_is_the_arrays() {
    let kept = What::State {
        text: "hba0:A0 LUN 0: READ(10) is kept back by silence".into(),
        change: Change::Other,
    };
    let events = [
        command(0.99, "READ(10)", "A0", 0.01, "GOOD"),
        Event { t: 1.0, what: kept },
        io(IoKind::StallBegin, 1.5),
        path(9.0, "hba0:A0", PathState::Failed),
    ];
    let pause = longest(&events).unwrap();
    assert_eq!(milliseconds(&pause), [(Cause::Array, 8000)]);
    assert!(pause.parts[0].evidence.contains("is kept back by silence"));
}

#[test]
fn a_handler_that_asks_every_two_seconds_polls() {
    let ask = |t| command(t, "REPORT TARGET PORT GROUPS", "B0", 0.001, "GOOD");
    let pause = paused(7.0, vec![ask(1.0), ask(3.0), ask(5.1), ask(6.9)]);
    assert_eq!(milliseconds(&pause), [(Cause::HandlerPolling, 5901), (Cause::Rest, 99)]);
}

#[test]
fn the_io_of_another_lun_does_not_hide_a_pause() {
    let of = |lun: u16, t: f64| match command(t, "READ(10)", "A0", 0.01, "GOOD").what {
        What::Command(command) => Event { t, what: What::Command(CommandEvent { lun, ..command }) },
        what => Event { t, what },
    };
    let stall = |what, t| {
        let map = Some("lun0".to_owned());
        Event { t, what: What::Io { what, map, text: String::new(), offset: None } }
    };
    let mut events: Vec<Event> = (0..60).map(|tenth| of(1, f64::from(tenth) / 10.0)).collect();
    // The other one ends its I/O early, and reads back later, which is no pause.
    events.push(of(1, 40.0));
    events.extend([
        of(0, 0.99),
        stall(IoKind::StallBegin, 1.5),
        stall(IoKind::StallEnd, 4.0),
        of(0, 3.99),
    ]);
    let pause = longest(&events).unwrap();
    assert_eq!((pause.lun, pause.unfinished), (Some(0), false));
    assert!((pause.from - 1.0).abs() < 1e-9 && (pause.to - 4.0).abs() < 1e-9, "{pause:?}");
    assert!(pause.sentence().starts_with("The longest pause of the I/O of LUN 0 took 3.000 s"));
}
