use sansim_language::{Scenario, load_text};
use sansim_stage::event::{CommandEvent, GroupState, IoKind};

use super::*;
use crate::answer::tests::answered;

const BASE: &str = r#"title = "x"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[hba]
count = 1
[guest]
multipath = { pg_init_retries = 5 }
"#;

fn judge(text: &str, heal: Option<u64>) -> Judge {
    let scenario: Scenario = load_text("x.toml", text, &[]).expect("a scenario");
    let heal = heal.map(std::time::Duration::from_secs);
    Judge::new(&Told { scenario, heal }, &Law::ALL.into_iter().collect())
}

fn command(port: &str, op: &str, sense: Option<&str>) -> What {
    let status = sense.map_or("GOOD", |_| "CHECK CONDITION");
    let (port, controller, op) = (port.into(), port[..1].into(), op.into());
    What::Command(CommandEvent { port, controller, op, ..answered(sense, status, "OK", 0.0) })
}

fn path(port: &str, state: PathState) -> What {
    What::Path {
        dev: "8:0".into(),
        path: format!("hba0:{port}"),
        state,
        fails: 1,
        group: 1,
        group_state: GroupState::Current,
    }
}

/// The path is active because its table was loaded.
fn loaded(port: &str) -> What {
    match path(port, PathState::Active) {
        What::Path { dev, path, state, group, group_state, .. } => {
            What::Path { dev, path, state, fails: 0, group, group_state }
        }
        other => other,
    }
}

fn error() -> What {
    What::Io {
        what: IoKind::Error,
        map: None,
        text: "read failed with errno 5".into(),
        offset: Some(0),
    }
}

/// The laws that are broken when this happens, one thing a second.
fn broken(mut judge: Judge, story: Vec<What>) -> Vec<String> {
    for (second, what) in story.into_iter().enumerate() {
        judge.see(&Event { t: second as f64, what });
    }
    judge.breaches.into_values().map(|breach| breach.law).collect()
}

#[test]
fn io_may_fail_when_every_path_was_given_a_reason() {
    let refused = |port| command(port, "READ(10)", Some("02/04/03"));
    assert_eq!(broken(judge(BASE, None), vec![refused("A0"), error()]), ["errors"]);
    assert!(broken(judge(BASE, None), vec![refused("A0"), refused("B0"), error()]).is_empty());
    // A path that came into service again has no reason to be failed any more.
    let again = vec![refused("A0"), refused("B0"), path("B0", PathState::Active), error()];
    assert_eq!(broken(judge(BASE, None), again), ["errors"]);
}

#[test]
fn a_unit_attention_is_no_reason_and_too_many_are() {
    let attention = || command("B0", "MODE SELECT(10)", Some("06/29/00"));
    let dead = || command("A0", "READ(10)", Some("02/04/03"));
    assert_eq!(broken(judge(BASE, None), vec![dead(), attention(), error()]), ["errors"]);
    let many = vec![dead(), attention(), attention(), attention(), attention(), error()];
    assert!(broken(judge(BASE, None), many).is_empty());
    // If no retry is allowed, two are too many.
    let none = BASE.replace("pg_init_retries = 5", "");
    assert_eq!(broken(judge(&none, None), vec![dead(), attention(), error()]), ["errors"]);
    let two = vec![dead(), attention(), attention(), error()];
    assert!(broken(judge(&none, None), two).is_empty());
}

#[test]
fn a_path_is_in_service_when_all_is_healed_unless_the_array_does_not_have_it_so() {
    let judged = |story: Vec<What>| {
        let mut judge = judge(BASE, Some(3));
        for (second, what) in story.into_iter().enumerate() {
            judge.see(&Event { t: second as f64, what });
        }
        judge.paths.failed_for_nothing()
    };
    let refused = || command("B0", "READ(10)", Some("02/04/03"));
    let good = || command("A0", "READ(10)", None);
    let failed = || path("B0", PathState::Failed);
    assert_eq!(
        judged(vec![refused(), failed(), good(), good(), good(), good()]),
        ["hba0:B0 (8:0)"]
    );
    assert!(judged(vec![good(), good(), good(), good(), good(), refused(), failed()]).is_empty());
}

#[test]
fn a_command_that_is_answered_after_all_was_healed_is_a_reason_still() {
    let mut judge = judge(BASE, Some(3));
    judge.see(&Event { t: 4.0, what: path("A0", PathState::Active) });
    // It was sent before.
    let lost = CommandEvent { ..answered(None, "GOOD", "FAILURE", 30.0) };
    judge.see(&Event { t: 1.0, what: What::Command(lost) });
    judge.see(&Event { t: 31.1, what: path("A0", PathState::Failed) });
    assert!(judge.breaches.is_empty(), "{:?}", judge.breaches);
}

#[test]
fn a_path_is_failed_for_a_reason_only() {
    let failed = || path("B0", PathState::Failed);
    let refused = command("B0", "MODE SELECT(10)", Some("05/24/00"));
    assert_eq!(broken(judge(BASE, None), vec![failed()]), ["paths"]);
    let attention = command("B0", "MODE SELECT(10)", Some("06/29/07"));
    assert_eq!(broken(judge(BASE, None), vec![attention, failed()]), ["paths"]);
    assert!(broken(judge(BASE, None), vec![refused.clone(), failed()]).is_empty());
    // It was activated since.
    let activated = command("B0", "MODE SELECT(10)", None);
    assert_eq!(broken(judge(BASE, None), vec![refused, activated, failed()]), ["paths"]);
}

#[test]
fn what_fails_on_every_path_may_fail() {
    let medium = command("A0", "READ(10)", Some("03/11/00"));
    assert!(broken(judge(BASE, None), vec![medium, error()]).is_empty());
}

#[test]
fn io_that_is_to_be_queued_does_not_fail() {
    let queues = BASE.replace("pg_init_retries = 5", "queue_if_no_path = true");
    let refused = |port| command(port, "READ(10)", Some("02/04/03"));
    assert_eq!(
        broken(judge(&queues, None), vec![refused("A0"), refused("B0"), error()]),
        ["errors"]
    );
}

#[test]
fn wrong_bytes_and_complaints_are_seen() {
    let corrupt =
        What::Io { what: IoKind::Corrupt, map: None, text: "stale block".into(), offset: Some(0) };
    let bug = What::Log { level: Some(1), text: "BUG: kernel NULL pointer dereference".into() };
    assert_eq!(broken(judge(BASE, None), vec![corrupt, bug]), ["bytes", "complaints"]);
}

#[test]
fn one_io_that_is_sent_again_and_again_is_a_loop() {
    let mut judge = judge(BASE, None);
    for number in 0..120 {
        let what = command("A0", "READ(10)", Some("00/00/00"));
        judge.see(&Event { t: 1.0 + f64::from(number) / 1000.0, what });
    }
    let breach = &judge.breaches[&Law::Loops];
    assert_eq!(
        breach.expect,
        "commands = [{ op = \"READ\", sense = \"00/00/00\", at_most = 100 }]"
    );
}

/// Whether a path that fails four times, and is reinstated each time, breaks the law: it is refused once, or serves in
/// between; a rule refuses it or the array; and the array changes its state before each failure or not.
fn flaps(fault: Option<&str>, serves: bool, changes: bool) -> Option<String> {
    let mut judge = judge(BASE, None);
    let mut see = |t, what| judge.see(&Event { t, what });
    let What::Command(refused) = command("B0", "TEST UNIT READY", Some("02/04/0b")) else {
        return None;
    };
    let refused = CommandEvent { fault: fault.map(str::to_owned), ..refused };
    see(0.5, What::Command(refused));
    for number in 0..4 {
        let t = f64::from(number) * 10.0;
        if changes {
            let change = Change::Owner { lun: 0, from: "A".into(), to: "B".into(), by: None };
            see(t, What::State { text: String::new(), change });
        }
        if serves {
            see(t, command("B0", "READ(10)", None));
        }
        see(t + 1.1, path("B0", PathState::Failed));
        see(t + 9.0, path("B0", PathState::Active));
    }
    judge.breaches.remove(&Law::Loops).map(|breach| breach.expect)
}

#[test]
fn a_path_that_is_put_into_service_in_vain_is_a_loop() {
    let breach = flaps(None, false, false).expect("a breach");
    assert_eq!(breach, "uevents = { action = \"PATH_REINSTATED\", at_most = 2 }");
    assert_eq!(flaps(None, false, true), None, "it might serve now");
    assert_eq!(flaps(None, true, false), None, "it did serve");
    assert_eq!(flaps(Some("h1"), false, false), None, "a rule comes and goes");
}

#[test]
fn a_path_may_be_failed_while_its_group_does_not_serve() {
    let alua = BASE.replace("\"rdac\"", "\"alua\"");
    let state = |change| What::State { text: String::new(), change };
    let fails = || path("B0", PathState::Failed);
    let group = |group, state: Option<&str>| {
        let state = state.map(str::to_owned);
        What::State { text: String::new(), change: Change::PortGroup { lun: 0, group, state } }
    };
    let none: [&str; 0] = [];
    assert_eq!(broken(judge(&alua, None), vec![fails()]), ["paths"]);
    assert_eq!(broken(judge(&alua, None), vec![group(2, Some("standby")), fails()]), none);
    assert_eq!(broken(judge(&alua, None), vec![group(1, Some("standby")), fails()]), ["paths"]);
    // A host does not know at once that it serves again: by its first I/O at the latest.
    let again = || vec![group(2, Some("standby")), group(2, None)];
    let with = |more: Vec<What>| again().into_iter().chain(more).collect();
    assert_eq!(broken(judge(&alua, None), with(vec![fails()])), none);
    let good = command("B0", "READ(10)", None);
    assert_eq!(broken(judge(&alua, None), with(vec![good, fails()])), ["paths"]);
    let back = path("B0", PathState::Active);
    assert_eq!(broken(judge(&alua, None), with(vec![back, fails()])), ["paths"]);
    let meanwhile = vec![
        command("A0", "READ(10)", Some("02/04/0b")),
        group(2, Some("standby")),
        fails(),
        group(2, None),
        error(),
    ];
    assert_eq!(broken(judge(&alua, None), meanwhile), none, "nobody has reinstated it");
    let upgrades = Change::Controller {
        controller: "B".into(),
        from: "online".into(),
        to: "upgrading".into(),
    };
    assert_eq!(broken(judge(&alua, None), vec![state(upgrades.clone()), fails()]), none);
    // Only REPORT TARGET PORT GROUPS tells: another family's handler has to ask.
    assert_eq!(broken(judge(BASE, None), vec![state(upgrades), fails()]), ["paths"]);
}

#[test]
fn a_law_that_is_off_is_not_judged() {
    let scenario: Scenario = load_text("x.toml", BASE, &[]).expect("a scenario");
    let told = Told { scenario, heal: None };
    let laws = [Law::Errors].into();
    let corrupt =
        What::Io { what: IoKind::Corrupt, map: None, text: "stale block".into(), offset: Some(0) };
    assert!(broken(Judge::new(&told, &laws), vec![corrupt]).is_empty());
}

/// The waits that are too long in a story of I/O that stalls from 1 s to `until`, with these commands answered in it.
fn wait(base: &str, until: f64, commands: Vec<(f64, f64, What)>) -> Option<String> {
    let mut judge = judge(base, None);
    let stall = |what| What::Io { what, map: None, text: String::new(), offset: None };
    judge.see(&Event { t: 0.9, what: command("A0", "READ(10)", None) });
    judge.see(&Event { t: 1.0, what: stall(IoKind::StallBegin) });
    for (t, latency_s, what) in commands {
        let what = match what {
            What::Command(command) => What::Command(CommandEvent { latency_s, ..command }),
            other => other,
        };
        judge.see(&Event { t, what });
    }
    judge.see(&Event { t: until, what: stall(IoKind::StallEnd) });
    judge.waited();
    judge.breaches.remove(&Law::Waits).map(|breach| breach.expect)
}

#[test]
fn io_waits_for_the_array_and_for_the_delays_of_the_settings_only() {
    let refused = || command("B0", "MODE SELECT(10)", Some("06/2a/01"));
    let moved = || command("B0", "MODE SELECT(10)", None);
    // Nothing was refused, and yet the LUN is moved two seconds late.
    let late = wait(BASE, 3.1, vec![(3.0, 0.01, moved())]);
    assert_eq!(late.as_deref(), Some("io = { longest_stall = \"< 1000ms\" }"));
    assert_eq!(wait(BASE, 1.6, vec![(1.5, 0.01, moved())]), None);
    // A refusal is followed by the delay of pg_init.
    let again = |t| vec![(1.1, 0.01, refused()), (t, 0.01, moved())];
    assert_eq!(wait(BASE, 3.3, again(3.2)), None);
    assert!(wait(BASE, 5.3, again(5.2)).is_some());
    // Also if I/O went on through another path meanwhile.
    let served = |t| {
        let good = command("A0", "READ(10)", None);
        vec![(1.1, 0.01, refused()), (1.6, 0.001, good), (t, 0.01, moved())]
    };
    assert_eq!(wait(BASE, 3.3, served(3.2)), None);
    assert!(wait(BASE, 5.3, served(5.2)).is_some());
    let patient =
        BASE.replace("pg_init_retries = 5", "pg_init_retries = 5, pg_init_delay = \"5s\"");
    assert_eq!(wait(&patient, 5.3, again(5.2)), None);
    // It is in a transition, and does not serve.
    let transition = command("A0", "READ(10)", Some("02/04/0a"));
    assert_eq!(wait(BASE, 2.5, vec![(1.1, 0.001, transition)]), None);
    assert!(
        wait(BASE, 2.5, vec![(1.1, 0.001, command("A0", "READ(10)", Some("02/04/03")))]).is_some()
    );
    // The alua handler asks by the command of the checker, and is told to ask again.
    let alua = BASE
        .replace("\"rdac\"", "\"alua\"")
        .replace("multipath = { pg_init_retries = 5 }", "manager = \"multipathd\"");
    let asked = |sense| vec![(1.8, 0.001, command("B0", "TEST UNIT READY", sense))];
    assert_eq!(wait(&alua, 4.7, asked(Some("02/04/0a"))), None);
    assert!(wait(&alua, 4.7, asked(None)).is_some(), "the checker asks whatever else goes on");
    // The array has a command in its hands, which is only seen when it is answered.
    assert_eq!(wait(BASE, 9.1, vec![(8.5, 0.01, refused()), (1.1, 7.9, moved())]), None);
}

#[test]
fn io_may_wait_while_no_path_is_in_service() {
    let failed = |port| (1.1, 0.0, path(port, PathState::Failed));
    let none = vec![failed("A0"), failed("B0")];
    assert_eq!(wait(BASE, 9.0, none), None);
    assert!(wait(BASE, 9.0, vec![failed("A0")]).is_some());
}

#[test]
fn dm_multipath_waits_before_it_uses_a_bypassed_group_and_not_later() {
    let group = |t, state| (t, 0.0, What::Group { group: 1, state });
    assert_eq!(wait(BASE, 3.1, vec![group(0.95, GroupState::Bypassed)]), None);
    let used = vec![group(1.05, GroupState::Bypassed), group(3.05, GroupState::Current)];
    assert_eq!(wait(BASE, 3.1, used), None);
    let before = vec![group(0.7, GroupState::Bypassed), group(0.8, GroupState::Enabled)];
    assert!(wait(BASE, 3.1, before).is_some());
}

#[test]
fn what_is_refused_is_sent_again_as_often_as_the_settings_say() {
    let refused = |number| {
        let t = 1.0 + f64::from(number) * 0.01;
        (t, 0.001, command("B0", "MODE SELECT(10)", Some("06/2a/01")))
    };
    let many = |count| wait(BASE, 1.0 + f64::from(count) * 0.01, (0..count).map(refused).collect());
    // 36 times in each of six rounds, through each of the two paths.
    assert_eq!(many(430), None);
    let most = many(440).expect("a breach");
    assert_eq!(most, "commands = [{ op = \"MODE SELECT\", at_most = 432 }]");
    let boots = |number| {
        (1.0 + f64::from(number) * 0.01, 0.001, command("B0", "MODE SELECT(10)", Some("02/04/01")))
    };
    assert_eq!(wait(BASE, 6.0, (0..500).map(boots).collect()), None, "for minutes, if need be");
}

#[test]
fn a_table_that_is_loaded_puts_no_path_into_service() {
    let refused = || command("B0", "READ(10)", Some("02/04/03"));
    let fails = || path("B0", PathState::Failed);
    // multipathd loads a table, and fails the path that is still down: as often as it has to.
    let reload = || [loaded("B0"), fails()];
    let story =
        [refused(), fails()].into_iter().chain(std::iter::repeat_with(reload).take(5).flatten());
    assert_eq!(broken(judge(BASE, None), story.collect()), [""; 0]);
    // Once it has carried I/O, it is in service.
    let good = command("B0", "READ(10)", None);
    let story = vec![refused(), fails(), loaded("B0"), good, fails()];
    assert_eq!(broken(judge(BASE, None), story), ["paths"]);
}
