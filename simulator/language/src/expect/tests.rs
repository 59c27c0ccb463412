//! Evaluates expectations in a world that gets events one by one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sansim_array::{
    Cdb, Changed, CommandRecord, Completion, HbaId, Lun, LunChange, Nexus, Operation, Sense,
    ServiceResponse, Stage, StateChange, Status,
};
use sansim_protocol::{
    Corruption, Ended, Event, GroupState, GroupStatus, Happening, IoDirection, MapStatus,
    PathState, PathStatus, Signal, WorkloadReport,
};
use sansim_time::Time;

use sansim_stage::{Act, World};

use crate::{Scenario, StepAction, Versions, load_text};

mod trial;

const SAN: &str = r#"
title = "a story"

[array]
personality = "rdac"
luns = [{ size = "256MiB", owner = "A" }]

[[fault]]
name = "busy"
when = { op = "MODE SELECT" }
then = { status = "busy" }

[[step]]
name = "ask"
at = "1s"
run = ["true"]

[[step]]
at = "2s"
map = { size = "64MiB", owner = "B", lun = 5 }
"#;

/// A scenario with this expectation, and its world before the first event.
fn story(expectation: &str) -> (Scenario, World) {
    let text = format!("{SAN}\n[[expect]]\n{expectation}\n");
    let scenario = load_text("story", &text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let devs = [("8:0", 0, "A0"), ("8:16", 0, "B0"), ("8:32", 1, "A1"), ("8:48", 1, "B1")];
    let places: BTreeMap<String, (Nexus, Lun)> = devs
        .iter()
        .map(|(dev, hba, port)| {
            let nexus = Nexus { hba: HbaId(*hba), port: port.parse().unwrap() };
            ((*dev).to_owned(), (nexus, Lun(0)))
        })
        .collect();
    let conditions = scenario.expectations.iter().flat_map(|it| &it.conditions);
    let counted = conditions.filter_map(|condition| condition.counted());
    let mut world = World::new(&scenario.setup, places, counted);
    for step in &scenario.steps {
        if let StepAction::Act(Act::Array(action)) = &step.action {
            world.on_action(action);
        }
    }
    (scenario, world)
}

/// Whether the only expectation of the scenario holds, and what was observed.
fn judge(scenario: &Scenario, world: &World) -> (bool, String) {
    let judgement = scenario.expectations[0].judged(&Versions::default()).judge(world);
    (judgement.holds, judgement.seen)
}

fn command(cdb: &[u8], port: &str, completion: Completion) -> CommandRecord {
    CommandRecord {
        seq: 0,
        at: Time::ZERO,
        latency: Duration::ZERO,
        nexus: Nexus { hba: HbaId(0), port: port.parse().unwrap() },
        lun: Lun(0),
        addressed: Lun(0),
        tag: 0,
        cdb: Cdb::new(cdb),
        op: Operation::of(cdb),
        offered: 0,
        completion,
        fault: None,
        stage: Stage::Story,
        data: None,
    }
}

const GOOD: Completion =
    Completion { response: ServiceResponse::Ok, status: Status::Good, sense: None, residual: 0 };
const MODE_SELECT_6: [u8; 6] = [0x15, 0, 0, 0, 0x6e, 0];
const MODE_SELECT_10: [u8; 10] = [0x55, 0, 0, 0, 0, 0, 0, 0x01, 0x34, 0];
const TEST_UNIT_READY: [u8; 6] = [0; 6];

fn event(what: Happening) -> Event {
    Event { at_ns: 0, what }
}

fn map(rounds: u32, current: u32, states: [PathState; 4]) -> Happening {
    let path = |dev: &str, state| PathStatus { dev: dev.to_owned(), state, fail_count: 0 };
    let group = |a: (&str, PathState), b: (&str, PathState)| GroupStatus {
        state: GroupState::Enabled,
        paths: vec![path(a.0, a.1), path(b.0, b.1)],
    };
    Happening::Map(MapStatus {
        map: "lun0".to_owned(),
        name: "dm-0".to_owned(),
        uuid: "mpath-3600".to_owned(),
        table: String::new(),
        line: String::new(),
        rounds,
        queueing: false,
        current_group: current,
        groups: vec![
            group(("8:0", states[0]), ("8:32", states[1])),
            group(("8:16", states[2]), ("8:48", states[3])),
        ],
    })
}

#[test]
fn commands_count_when_everything_that_is_given_is_true_of_them() {
    let (scenario, mut world) =
        story("commands = { op = \"MODE SELECT\", controller = \"B\", exactly = 2 }");
    assert!(!judge(&scenario, &world).0);
    world.on_command(&command(&MODE_SELECT_6, "B0", GOOD));
    world.on_command(&command(&MODE_SELECT_6, "A0", GOOD));
    world.on_command(&command(&TEST_UNIT_READY, "B0", GOOD));
    let early = CommandRecord { stage: Stage::Discovery, ..command(&MODE_SELECT_6, "B0", GOOD) };
    world.on_command(&early);
    assert_eq!(judge(&scenario, &world), (false, "1 MODE SELECT to controller B".to_owned()));
    world.on_command(&command(&MODE_SELECT_10, "B1", GOOD));
    assert!(judge(&scenario, &world).0);
    world.on_command(&command(&MODE_SELECT_10, "B1", GOOD));
    assert!(!judge(&scenario, &world).0);
}

#[test]
fn answers_are_told_apart() {
    let sense: Sense = "06/29/00".parse().unwrap();
    let check = Completion { status: Status::CheckCondition, sense: Some(sense), ..GOOD };
    let busy = Completion { status: Status::Busy, ..GOOD };
    let silence = Completion { response: ServiceResponse::BadTarget, ..GOOD };
    let cases =
        [("sense = \"06/29/00\"", check), ("status = \"busy\"", busy), ("status = \"good\"", GOOD)];
    for (wanted, fitting) in cases {
        let (scenario, mut world) = story(&format!("commands = {{ {wanted} }}"));
        let others = [check, busy, silence, GOOD].into_iter().filter(|other| *other != fitting);
        others.for_each(|other| world.on_command(&command(&TEST_UNIT_READY, "A0", other)));
        assert!(!judge(&scenario, &world).0, "{wanted}");
        world.on_command(&command(&TEST_UNIT_READY, "A0", fitting));
        assert!(judge(&scenario, &world).0, "{wanted}");
    }
}

#[test]
fn a_rule_has_fired_as_often_as_the_array_says() {
    let (scenario, mut world) = story("fault = { name = \"busy\", fired = 2 }");
    let rule: Arc<str> = Arc::from("busy");
    // The array counts a command when a rule catches it, and reports the command later. It must not
    // be counted twice.
    world.on_rule_matches(&[(Arc::clone(&rule), 1)]);
    let caught =
        CommandRecord { fault: Some(Arc::clone(&rule)), ..command(&MODE_SELECT_6, "B0", GOOD) };
    world.on_command(&caught);
    assert_eq!(judge(&scenario, &world), (false, "fault \"busy\" has fired 1 time".to_owned()));
    world.on_rule_matches(&[(rule, 2)]);
    assert!(judge(&scenario, &world).0);
}

#[test]
fn owners_follow_the_array() {
    let (scenario, mut world) = story("owner = { lun = 0, controller = \"B\" }");
    let (a, b) = ("A".parse().unwrap(), "B".parse().unwrap());
    assert_eq!(judge(&scenario, &world), (false, "owner of LUN 0 is controller A".to_owned()));
    let moved = Changed::Owner { lun: Lun(0), from: a, to: b, by: None };
    world.on_state(&StateChange { at: Time::ZERO, what: moved });
    assert!(judge(&scenario, &world).0);
    let gone = Changed::Lun { lun: Lun(0), change: LunChange::Unmapped };
    world.on_state(&StateChange { at: Time::ZERO, what: gone });
    assert_eq!(judge(&scenario, &world), (false, "LUN 0 is not mapped".to_owned()));
}

#[test]
fn a_story_begins_with_the_owners_that_the_array_has_then() {
    let (scenario, mut world) = story("owner = { lun = 0, controller = \"B\" }");
    let (a, b) = ("A".parse().unwrap(), "B".parse().unwrap());
    world.begin_with([(Lun(0), b)], []);
    assert!(judge(&scenario, &world).0);
    // Reports of discovery come late, and say what was.
    let moved = |from, to| Changed::Owner { lun: Lun(0), from, to, by: None };
    for what in [moved(a, b), moved(b, a), moved(a, b)] {
        world.on_state(&StateChange { at: Time::ZERO, what });
        assert!(judge(&scenario, &world).0);
    }
    for what in [Changed::Stage(Stage::Story), moved(b, a)] {
        world.on_state(&StateChange { at: Time::ZERO, what });
    }
    assert_eq!(judge(&scenario, &world), (false, "owner of LUN 0 is controller A".to_owned()));
}

#[test]
fn changes_of_owner_are_counted_from_the_beginning_of_the_story() {
    let (scenario, mut world) = story("owner_changes = 2");
    let (a, b) = ("A".parse().unwrap(), "B".parse().unwrap());
    let mut see = |what| world.on_state(&StateChange { at: Time::ZERO, what });
    let moved = |lun, from, to| Changed::Owner { lun: Lun(lun), from, to, by: None };
    see(moved(0, a, b));
    see(Changed::Stage(Stage::Story));
    see(moved(0, b, a));
    see(moved(5, b, a));
    assert_eq!(judge(&scenario, &world), (false, "LUN 0 changed hands 1 time".to_owned()));
    world.on_state(&StateChange { at: Time::ZERO, what: moved(0, a, b) });
    assert!(judge(&scenario, &world).0);
}

#[test]
fn a_lun_that_appears_has_the_owner_its_step_gives_it() {
    let (scenario, mut world) = story("owner = { lun = 5, controller = \"B\" }");
    assert!(!judge(&scenario, &world).0);
    let mapped = Changed::Lun { lun: Lun(5), change: LunChange::Mapped { bytes: 64 << 20 } };
    world.on_state(&StateChange { at: Time::ZERO, what: mapped });
    assert!(judge(&scenario, &world).0);
}

#[test]
fn the_highest_round_is_remembered_and_the_last_one_known() {
    let (highest, mut world) = story("rounds = 3");
    let (last, _) = story("rounds_at_end = 1");
    assert!(!judge(&last, &world).0, "no status is no round");
    for rounds in [1, 3, 1] {
        world.on_agent_event(&event(map(rounds, 1, [PathState::Active; 4])));
    }
    assert!(judge(&highest, &world).0);
    assert!(judge(&last, &world).0);
    assert_eq!(judge(&highest, &world).1, "pg_init of LUN 0 came to round 3");
}

#[test]
fn paths_are_known_by_their_nexus() {
    let (totals, mut world) = story("paths = { failed = 2, active = 2 }");
    let (group, _) = story("group = { current = 2 }");
    let (port, _) = story("path = { port = \"A0\", state = \"failed\" }");
    let (both, _) = story(
        "path = [{ port = \"A1\", hba = 1, state = \"failed\" }, { port = \"B0\", state = \"active\" }]",
    );
    world.on_agent_event(&event(map(1, 1, [PathState::Active; 4])));
    for wanted in [&totals, &group, &port, &both] {
        assert!(!judge(wanted, &world).0, "{}", wanted.expectations[0]);
    }
    world.on_agent_event(&event(map(
        1,
        2,
        [PathState::Failed, PathState::Failed, PathState::Active, PathState::Active],
    )));
    for wanted in [&totals, &group, &port, &both] {
        assert!(judge(wanted, &world).0, "{}", wanted.expectations[0]);
    }
    assert_eq!(judge(&port, &world).1, "path hba0:A0 of LUN 0 is failed");
}

#[test]
fn log_lines_are_counted() {
    let (scenario, mut world) = story(
        "log = [{ contains = \"Failing path\", count = 2 }, { matches = 'B[UO]G', exactly = 0 }]",
    );
    let line = |text: &str| event(Happening::Log { level: 4, text: text.to_owned() });
    world.on_agent_event(&line("device-mapper: multipath: 254:0: Failing path 8:0."));
    assert!(!judge(&scenario, &world).0);
    world.on_agent_event(&line("device-mapper: multipath: 254:0: Failing path 8:16."));
    assert!(judge(&scenario, &world).0);
    world.on_agent_event(&line("kernel BUG at somewhere"));
    assert_eq!(
        judge(&scenario, &world),
        (false, "2 log lines with \"Failing path\"; 1 log line with /B[UO]G/".to_owned())
    );
}

#[test]
fn uevents_are_counted_by_action_and_map() {
    let (scenario, mut world) = story("uevents = { action = \"PATH_FAILED\", exactly = 1 }");
    let uevent = |map: &str, action: &str| {
        event(Happening::PathUevent {
            map: map.to_owned(),
            action: action.to_owned().into(),
            seqnum: 1,
            path: "8:0".to_owned(),
            valid_paths: 3,
        })
    };
    world.on_agent_event(&uevent("lun0", "PATH_REINSTATED"));
    world.on_agent_event(&uevent("lun1", "PATH_FAILED"));
    world.on_agent_event(&uevent("other", "PATH_FAILED"));
    assert!(!judge(&scenario, &world).0);
    world.on_agent_event(&uevent("lun0", "PATH_FAILED"));
    assert!(judge(&scenario, &world).0);
}

#[test]
fn a_program_is_judged_by_its_code_and_output() {
    let (scenario, mut world) = story("ran = { step = \"ask\", code = 0, contains = \"ready\" }");
    assert_eq!(judge(&scenario, &world), (false, "step \"ask\" has not run".to_owned()));
    for (ended, stdout, holds) in [
        (Ended::Code(1), "ready", false),
        (Ended::TimeLimit, "ready", false),
        (Ended::Code(0), "no", false),
        (Ended::Code(0), "ready\n", true),
    ] {
        world.on_ran("ask", ended, stdout);
        assert_eq!(judge(&scenario, &world).0, holds, "{ended:?} {stdout:?}");
    }
    assert_eq!(judge(&scenario, &world).1, "step \"ask\" ended with code 0 and wrote \"ready\\n\"");
}

#[test]
fn a_program_is_judged_by_what_killed_it() {
    for (by, ended) in [("SEGV", Ended::Signal(Signal(11))), ("time limit", Ended::TimeLimit)] {
        let (scenario, mut world) =
            story(&format!("ran = {{ step = \"ask\", killed_by = \"{by}\" }}"));
        for other in
            [Ended::Code(11), Ended::Signal(Signal(9)), Ended::Signal(Signal(11)), Ended::TimeLimit]
        {
            world.on_ran("ask", other, "");
            assert_eq!(judge(&scenario, &world).0, other == ended, "{by} {other}");
        }
    }
}

#[test]
fn the_workloads_own_report_has_the_last_word() {
    let (scenario, mut world) = story(
        "by = \"9s\"\nio = { errors = 0, corrupt = 0, longest_stall = \"< 2s\", reads = \">= 5\" }\nrounds = \">= 1\"",
    );
    let name = "lun0".to_owned();
    assert!(!judge(&scenario, &world).0, "nothing was read yet");
    let (map_name, lasted_ns) = (name.clone(), 1_500_000_000);
    world.on_agent_event(&event(Happening::StallEnd { map: map_name, lasted_ns }));
    let progress =
        Happening::Progress { map: name.clone(), reads: 7, writes: 1, errors: 0, slowest_ns: 0 };
    world.on_agent_event(&event(progress));
    world.on_agent_event(&event(map(1, 1, [PathState::Active; 4])));
    assert_eq!(
        judge(&scenario, &world),
        (
            true,
            "I/O: 0 errors, 0 corrupt blocks, longest stall 1.500 s, 7 reads; \
             pg_init of LUN 0 came to round 1"
                .to_owned()
        )
    );
    assert!(scenario.expectations[0].judged(&Versions::default()).judge_io(&world).holds);
    let corrupt = Corruption { lost: 1, ..Corruption::default() };
    let report = WorkloadReport { reads: 9, corrupt, unchecked: 3, ..WorkloadReport::default() };
    world.on_workload(Lun(0), &report);
    let last = scenario.expectations[0].judged(&Versions::default()).judge_io(&world);
    assert!(!last.holds);
    assert_eq!(
        last.seen,
        "I/O: 0 errors, 1 corrupt block, 3 blocks that could not be read back, \
         longest stall 0.000 s, 9 reads"
    );
}

#[test]
fn single_errors_are_seen_before_the_totals_come() {
    let (scenario, mut world) = story("never = true\nio = { errors = \">= 1\" }");
    assert!(!judge(&scenario, &world).0);
    let (map, direction) = ("lun0".to_owned(), IoDirection::Read);
    world.on_agent_event(&event(Happening::IoError { map, direction, offset: 0, errno: 5 }));
    assert!(judge(&scenario, &world).0);
}

#[test]
fn judging_changes_nothing_and_what_is_not_io_is_not_judged_as_such() {
    let (scenario, world) = story("rounds = 1");
    assert_eq!(judge(&scenario, &world), judge(&scenario, &world));
    assert!(scenario.expectations[0].judged(&Versions::default()).judge_io(&world).holds);
}

#[test]
fn a_map_belongs_to_the_luns_whose_disks_it_has_whatever_it_is_called() {
    let named = |name: &str| match map(1, 1, [PathState::Active; 4]) {
        Happening::Map(status) => Happening::Map(MapStatus { map: name.to_owned(), ..status }),
        other => other,
    };
    let wanted = "map = { name = \"mpatha\", wwid = \"3600\", paths = 4 }";
    let (scenario, mut world) = story(wanted);
    assert_eq!(judge(&scenario, &world), (false, "LUN 0 has no map".to_owned()));
    world.on_agent_event(&event(named("lun0")));
    assert!(!judge(&scenario, &world).0, "it has another name");
    world.on_agent_event(&event(named("mpatha")));
    let seen = "LUN 0 has the map mpatha (3600) with 4 paths".to_owned();
    assert_eq!(judge(&scenario, &world), (true, seen));
    assert_eq!(world.map_name(Lun(0)), "mpatha");
    world.on_agent_event(&event(Happening::MapRemoved { map: "mpatha".to_owned() }));
    assert!(!judge(&scenario, &world).0, "it is gone");
    let (none, _) = story("map = { exists = false }");
    assert!(judge(&none, &world).0);
}

#[test]
fn disks_are_counted_as_they_come_and_go() {
    let (scenario, mut world) = story("disks = 3");
    assert_eq!(judge(&scenario, &world), (false, "the guest has 4 disks for LUN 0".to_owned()));
    world.on_disk_removed("8:48");
    world.on_disk_removed("8:48");
    assert!(judge(&scenario, &world).0);
    // The number is used again, for a disk of another LUN.
    let port = "B1".parse().unwrap();
    world.on_disk("8:48".to_owned(), (Nexus { hba: HbaId(1), port }, Lun(5)));
    assert_eq!((world.disks(Lun(0)), world.disks(Lun(5))), (3, 1));
}
