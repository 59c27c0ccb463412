//! Fault rules: which commands they catch, and how often.

use std::time::Duration;

use super::*;
use crate::{
    Action, CommandFilter, ControllerId, ControllerState, HbaId, RuleError, ServiceResponse, Stage,
    Status,
};

/// The results of `times` READ(16) commands of block 0.
fn reads(rig: &Rig, times: usize) -> Vec<String> {
    let one = || rig.send(A, LUN0, &read(0, 1), &[], 512).completion.sense;
    (0..times).map(|_| one().map_or("ok".into(), |sense| sense.to_string())).collect()
}

fn fired(rig: &Rig) -> Vec<u64> {
    rig.array.rule_matches().into_iter().map(|(_, count)| count).collect()
}

#[test]
fn counts_are_exact() {
    let cases = [
        (Matches::All, [1, 1, 1, 1, 1, 1]),
        (Matches::First(2), [1, 1, 0, 0, 0, 0]),
        (Matches::Nth(3), [0, 0, 1, 0, 0, 0]),
        (Matches::Range(2..=4), [0, 1, 1, 1, 0, 0]),
        (Matches::Every(2), [0, 1, 0, 1, 0, 1]),
    ];
    for (matches, expected) in cases {
        let rig = Rig::with_faults(vec![rule("r", "READ", matches.clone(), answer("03/11/00"))]);
        rig.get(A, LUN0, &TEST_UNIT_READY, 0);
        let caught =
            reads(&rig, 6).iter().map(|it| u64::from(it == "03/11/00")).collect::<Vec<_>>();
        assert_eq!(caught, expected, "{matches:?}");
        assert_eq!(fired(&rig), [expected.iter().sum::<u64>()]);
    }
}

#[test]
fn the_first_rule_whose_count_says_yes_wins_and_all_of_them_count() {
    let rig = Rig::with_faults(vec![
        rule("first", "READ", Matches::Nth(1), answer("03/11/00")),
        rule("second", "medium", Matches::Nth(2), answer("04/44/00")),
        rule("rest", "any", Matches::First(3), answer("0b/00/00")),
    ]);
    assert_eq!(reads(&rig, 4), ["03/11/00", "04/44/00", "0b/00/00", "ok"]);
    assert_eq!(fired(&rig), [1, 1, 1]);
    let names: Vec<_> = rig.records().iter().map(|it| it.fault.clone()).collect();
    assert_eq!(names, [Some("first".into()), Some("second".into()), Some("rest".into()), None]);
}

#[test]
fn every_condition_counts() {
    let when = |change: &dyn Fn(&mut When)| {
        let mut when = When::default();
        change(&mut when);
        FaultRule { when, ..rule("r", "any", Matches::All, answer("04/44/00")) }
    };
    let other_port = crate::PortId { controller: ControllerId::A, index: 1 };
    type Case<'a> = (&'a dyn Fn(&mut When), bool);
    let cases: [Case<'_>; 11] = [
        (&|it| it.controller = Some(ControllerId::A), true),
        (&|it| it.controller = Some(ControllerId::B), false),
        (&|it| it.port = Some(A.port), true),
        (&|it| it.port = Some(other_port), false),
        (&|it| it.hba = Some(HbaId(0)), true),
        (&|it| it.hba = Some(HbaId(1)), false),
        (&|it| it.lun = Some(LUN0), true),
        (&|it| it.lun = Some(LUN1), false),
        (&|it| it.stage = Some(Stage::Discovery), true),
        (&|it| it.stage = Some(Stage::Story), false),
        (&|it| it.states = vec![(ControllerId::B, ControllerState::Failed)], false),
    ];
    let mut rules: Vec<_> = cases.map(|(change, caught)| (when(change), caught)).into();
    for (op, caught) in [("READ(16)", true), ("READ(10)", false)] {
        rules.push((rule("r", op, Matches::All, answer("04/44/00")), caught));
    }
    for (number, (rule, caught)) in rules.into_iter().enumerate() {
        let rig = Rig::with_faults(vec![rule]);
        let expected = if caught { "04/44/00" } else { "ok" };
        assert_eq!(reads(&rig, 1), [expected], "case {number}");
    }
}

#[test]
fn times_count_from_the_beginning_of_the_story() {
    let window = |from, until| {
        let mut rule = rule("r", "READ", Matches::All, answer("04/44/00"));
        rule.when.from = from;
        rule.when.until = until;
        rule
    };
    let milli = Duration::from_millis;
    // The rig sends its reads 1 ms after the array's time zero.
    for (rule, began_at, caught) in [
        (window(Some(milli(0)), Some(milli(1))), Some(1), true),
        (window(Some(milli(1)), Some(milli(2))), Some(0), true),
        (window(Some(milli(2)), None), Some(0), false),
        (window(None, Some(milli(1))), Some(0), false),
        (window(Some(milli(0)), None), None, false),
        (window(None, Some(milli(9))), None, false),
    ] {
        let rig = Rig::with_faults(vec![rule]);
        if let Some(began) = began_at {
            rig.array.apply(at(began), Action::BeginStory).unwrap();
        }
        assert_eq!(reads(&rig, 1), [if caught { "04/44/00" } else { "ok" }], "{began_at:?}");
    }
}

#[test]
fn a_state_of_another_controller_can_be_a_condition() {
    let mut rule = rule("r", "READ", Matches::All, answer("04/44/00"));
    rule.when.states = vec![(ControllerId::B, ControllerState::Failed)];
    let rig = Rig::with_faults(vec![rule]);
    assert_eq!(reads(&rig, 1), ["ok"]);
    let (controller, state) = (ControllerId::B, ControllerState::Failed);
    rig.array.apply(at(0), Action::SetController { controller, state }).unwrap();
    assert_eq!(reads(&rig, 1), ["04/44/00"]);
}

#[test]
fn blocks_are_caught_if_one_of_them_is_touched() {
    let which = CommandFilter { blocks: Some(10..=19), ..CommandFilter::default() };
    let rig = Rig::with_faults(vec![FaultRule::on_commands("r", which, answer("03/11/00"))]);
    let caught = |cdb: &[u8]| {
        let sense = rig.send(A, LUN0, cdb, &[0; 512 * 20], 512 * 20).completion.sense;
        sense.is_some_and(|sense| sense.to_string() == "03/11/00")
    };
    assert!(caught(&read(0, 11)) && caught(&read(19, 1)) && caught(&read(5, 20)));
    assert!(!caught(&read(0, 10)) && !caught(&read(20, 1)) && !caught(&read(15, 0)));
    assert!(caught(&[0x28, 0, 0, 0, 0, 9, 0, 0, 2, 0]) && caught(&[0x08, 0, 0, 9, 2, 0]));
    assert!(caught(&cdb16(0x91, 5, 0)), "to the end");
    assert!(!caught(&TEST_UNIT_READY) && !caught(&[0x12, 0, 0, 0, 36, 0]));
}

#[test]
fn answers_can_be_a_status_or_a_response() {
    for (answer, status, response) in [
        (Answer::Status(Status::TaskSetFull), Status::TaskSetFull, ServiceResponse::Ok),
        (Answer::Status(Status::CheckCondition), Status::CheckCondition, ServiceResponse::Ok),
        (
            Answer::Response(ServiceResponse::TransportFailure),
            Status::Good,
            ServiceResponse::TransportFailure,
        ),
    ] {
        let then = Then::answered(answer);
        let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, then)]);
        let completion = rig.send(A, LUN0, &read(0, 1), &[], 512).completion;
        assert_eq!((completion.status, completion.response), (status, response));
        assert_eq!((completion.sense, completion.residual), (None, 512));
    }
}

#[test]
fn unknown_operation_codes_and_unmapped_luns_are_caught_too() {
    let rig = Rig::with_faults(vec![rule("r", "any", Matches::All, answer("05/91/00"))]);
    assert_eq!(rig.sense(A, LUN0, &[0xff; 6], &[]), "05/91/00");
    assert_eq!(rig.sense(A, NO_LUN, &TEST_UNIT_READY, &[]), "05/91/00");
}

#[test]
fn a_fault_comes_before_a_unit_attention_and_does_not_use_it_up() {
    let mut config = config();
    config.faults = vec![rule("r", "TEST UNIT READY", Matches::First(1), answer("02/04/01"))];
    let rig = Rig::new(config);
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "02/04/01");
    assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/00");
}

#[test]
fn a_silent_controller_is_silent_whatever_the_rules_say() {
    let rig = Rig::with_faults(vec![rule("r", "any", Matches::All, answer("02/04/01"))]);
    let (controller, state) = (ControllerId::A, ControllerState::Offline);
    rig.array.apply(at(0), Action::SetController { controller, state }).unwrap();
    let completion = rig.send(A, LUN0, &TEST_UNIT_READY, &[], 0).completion;
    assert_eq!(completion.response, ServiceResponse::BadTarget);
    assert_eq!(fired(&rig), [0]);
}

#[test]
fn a_rule_that_is_not_armed_neither_catches_nor_counts() {
    let mut rule = rule("r", "READ", Matches::Nth(2), answer("03/11/00"));
    rule.armed = false;
    let rig = Rig::with_faults(vec![rule]);
    let arm = |armed| rig.array.apply(at(0), Action::Arm { rule: "r".into(), armed }).unwrap();
    assert_eq!(reads(&rig, 2), ["ok", "ok"]);
    arm(true);
    assert_eq!(reads(&rig, 1), ["ok"]);
    arm(false);
    assert_eq!(reads(&rig, 1), ["ok"]);
    arm(true);
    assert_eq!(reads(&rig, 2), ["03/11/00", "ok"], "the count goes on where it was");
}

#[test]
fn rules_of_the_story_wait_for_it() {
    let mut rule = rule("r", "READ", Matches::First(1), answer("03/11/00"));
    rule.when.stage = Some(Stage::Story);
    let rig = Rig::with_faults(vec![rule]);
    assert_eq!(reads(&rig, 1), ["ok"]);
    rig.array.apply(at(0), Action::BeginStory).unwrap();
    assert_eq!(reads(&rig, 2), ["03/11/00", "ok"]);
    let stages: Vec<_> = rig.records().iter().map(|it| it.stage).collect();
    assert_eq!(stages, [Stage::Discovery, Stage::Story, Stage::Story]);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, Then::default())]);
    let refused = |rule| match rig.array.apply(at(0), Action::AddRule(Box::new(rule))) {
        Err(crate::ActionError::Rule(error)) => error,
        result => panic!("{result:?}"),
    };
    let named = |matches, then| rule("new", "READ", matches, then);
    let twice = rule("r", "READ", Matches::All, Then::default());
    assert_eq!(refused(twice), RuleError::Duplicate("r".into()));
    #[expect(clippy::reversed_empty_ranges)]
    let empty = Matches::Range(3..=2);
    for matches in
        [Matches::First(0), Matches::Nth(0), Matches::Every(0), Matches::Range(0..=2), empty]
    {
        let error = refused(named(matches, Then::default()));
        assert_eq!(error, RuleError::NeverMatches("new".into()));
    }
    let mut rule = named(Matches::All, Then::default());
    rule.when.port = Some("A2".parse().unwrap());
    let words = "fault rule \"new\" names port A2, which the array does not have";
    assert_eq!(refused(rule).to_string(), words);
    let error = rig.array.apply(at(0), Action::Arm { rule: "x".into(), armed: true }).unwrap_err();
    assert_eq!(error.to_string(), "there is no fault rule named \"x\"");
}
