//! Fault rules count correctly, in any combination.

use proptest::prelude::*;

use crate::{
    Action, Answer, CommandFilter, ControllerId, FaultRule, Matches, Sense, Then, When,
    testing::{LUN0, Rig, TEST_UNIT_READY, at, config, nexus, read},
};

fn matches() -> impl Strategy<Value = Matches> {
    prop_oneof![
        Just(Matches::All),
        (1..6_u64).prop_map(Matches::First),
        (1..10_u64).prop_map(Matches::Nth),
        (1..6_u64, 0..6_u64).prop_map(|(from, more)| Matches::Range(from..=from + more)),
        (1..5_u64).prop_map(Matches::Every),
    ]
}

/// Whether `matches` accepts the `count`th command. This implementation differs from the array's.
fn covered(matches: &Matches, count: u64) -> bool {
    let (from, to, step) = match matches {
        Matches::All => (1, u64::MAX, 1),
        Matches::First(many) => (1, *many, 1),
        Matches::Nth(which) => (*which, *which, 1),
        Matches::Range(range) => (*range.start(), *range.end(), 1),
        Matches::Every(many) => (*many, u64::MAX, *many),
    };
    count >= from && count <= to && (count - from).is_multiple_of(step)
}

/// A fault rule about an operation, a controller, both or neither.
#[derive(Debug, Clone)]
struct Rule {
    op: Option<&'static str>,
    controller: Option<ControllerId>,
    matches: Matches,
}

fn rule() -> impl Strategy<Value = Rule> {
    let op = proptest::sample::select(vec!["READ", "READ(16)", "TEST UNIT READY", "any", "medium"]);
    let controller = prop_oneof![Just(ControllerId::A), Just(ControllerId::B)];
    (proptest::option::of(op), proptest::option::of(controller), matches())
        .prop_map(|(op, controller, matches)| Rule { op, controller, matches })
}

proptest! {
    #[test]
    fn the_first_rule_whose_count_covers_a_command_catches_it(
        rules in prop::collection::vec(rule(), 0..8),
        commands in prop::collection::vec((any::<bool>(), any::<bool>()), 0..60),
    ) {
        let rig = Rig::new(config()).settled();
        for (number, rule) in rules.iter().enumerate() {
            let op = rule.op.map(|op| op.parse().unwrap());
            let (controller, matches) = (rule.controller, rule.matches.clone());
            let answer = Answer::Sense(Sense::new(4, 0x44, number as u8));
            let then = Then::answered(answer);
            let which = CommandFilter { op, ..CommandFilter::default() };
            let when = When { controller, matches, ..When::default() };
            let rule =
                FaultRule { when, ..FaultRule::on_commands(format!("{number}"), which, then) };
            rig.array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
        }
        let (mut met, mut fired) = (vec![0; rules.len()], vec![0; rules.len()]);
        for (peer, reads) in commands {
            let controller = if peer { ControllerId::B } else { ControllerId::A };
            let about = |rule: &Rule| {
                rule.controller.is_none_or(|it| it == controller)
                    && match rule.op {
                        Some("READ" | "READ(16)" | "medium") => reads,
                        Some("TEST UNIT READY") => !reads,
                        _ => true,
                    }
            };
            let mut winner = None;
            for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| about(rule)) {
                met[number] += 1;
                if winner.is_none() && covered(&rule.matches, met[number]) {
                    (winner, fired[number]) = (Some(number), fired[number] + 1);
                }
            }
            let (cdb, tur) = (read(0, 1), TEST_UNIT_READY);
            let cdb = if reads { &cdb[..] } else { &tur };
            rig.send(nexus(2, controller), LUN0, cdb, &[], 512);
            let fault = rig.records().pop().unwrap().fault;
            prop_assert_eq!(fault, winner.map(|number| number.to_string().into()));
        }
        let reported: Vec<_> = rig.array.rule_matches().into_iter().map(|(_, it)| it).collect();
        prop_assert_eq!(reported, fired);
    }
}
