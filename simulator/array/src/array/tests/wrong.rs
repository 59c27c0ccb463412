//! Data faults: commands that are carried out, but incorrectly.

use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::{
    Action, Answer, ArrayConfig, Chance, CommandFilter, ControllerId, ControllerState, Corruption,
    Delay, Disposition, FaultRule, InquiryPage, Lose, Sense, SenseForm, ServiceResponse, Then,
    VolumeChange,
};

fn rule(op: &str, then: Then) -> FaultRule {
    FaultRule::on_commands("wrong", op.parse::<OpMatcher>().unwrap().into(), then)
}

fn corrupting(op: &str, corruption: Corruption) -> Rig {
    let then = Then::corrupted(corruption);
    Rig::with_faults(vec![rule(op, then)])
}

#[test]
fn a_bit_flips_on_the_way_out_and_only_there() {
    let rig = corrupting("READ(10)", Corruption::BitFlip);
    rig.put(A, LUN0, &write(5, 2), &[0xa5; 1024]);
    let data = rig.get(A, LUN0, &[0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0], 1024);
    let flipped: u32 = data.iter().map(|byte| (byte ^ 0xa5).count_ones()).sum();
    assert_eq!((data.len(), flipped), (1024, 1));
    assert_eq!(rig.get(A, LUN0, &read(5, 2), 1024), [0xa5; 1024], "the store has it right");
}

#[test]
fn a_bit_flips_on_the_way_in_and_stays() {
    let rig = corrupting("WRITE", Corruption::BitFlip);
    rig.put(A, LUN0, &write(5, 1), &[0xa5; 512]);
    let data = rig.get(A, LUN0, &read(5, 1), 512);
    assert_eq!(data.iter().map(|byte| (byte ^ 0xa5).count_ones()).sum::<u32>(), 1);
    assert_eq!(rig.get(A, LUN0, &read(5, 1), 512), data);
}

#[test]
fn a_write_is_dropped_or_lands_beside() {
    let rig = corrupting("WRITE", Corruption::DroppedWrite);
    rig.put(A, LUN0, &write(5, 2), &[0xa5; 1024]);
    assert_eq!(rig.get(A, LUN0, &read(5, 2), 1024), [0; 1024]);

    let rig = corrupting("WRITE", Corruption::MisdirectedWrite);
    rig.put(A, LUN0, &write(5, 2), &[0xa5; 1024]);
    assert_eq!(rig.get(A, LUN0, &read(5, 2), 1024), [0; 1024]);
    assert_eq!(rig.get(A, LUN0, &read(7, 2), 1024), [0xa5; 1024]);
    rig.put(A, LUN0, &write(2046, 2), &[0x5a; 1024]);
    assert_eq!(rig.get(A, LUN0, &read(2044, 2), 1024), [0x5a; 1024], "before it at the end");
}

#[test]
fn of_a_torn_write_the_first_blocks_land() {
    let rig = corrupting("WRITE", Corruption::TornWrite);
    let mut lands = BTreeSet::new();
    for lba in (0..160).step_by(8) {
        rig.put(A, LUN0, &write(lba, 8), &[0xa5; 8 * 512]);
        let data = rig.get(A, LUN0, &read(lba, 8), 8 * 512);
        let landed = data.iter().take_while(|byte| **byte == 0xa5).count();
        assert!(landed.is_multiple_of(512) && landed < data.len(), "{landed}");
        assert!(data[landed..].iter().all(|byte| *byte == 0));
        lands.insert(landed / 512);
    }
    assert!(lands.len() > 3, "{lands:?}");
    rig.put(A, LUN0, &write(200, 1), &[0xa5; 512]);
    assert_eq!(rig.get(A, LUN0, &read(200, 1), 512), [0; 512], "a single block does not land");
}

#[test]
fn a_read_finds_what_was_there_before() {
    let rig = corrupting("READ(10)", Corruption::StaleRead);
    let stale = |rig: &Rig| rig.get(A, LUN0, &[0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], 512);
    rig.put(A, LUN0, &write(5, 1), &[1; 512]);
    assert_eq!(stale(&rig), [0; 512]);
    rig.put(A, LUN0, &write(5, 1), &[2; 512]);
    assert_eq!(stale(&rig), [1; 512]);
    assert_eq!(rig.get(A, LUN0, &read(5, 1), 512), [2; 512], "other reads see it as it is");
    let log = Arc::new(Log::default());
    let copy = Array::from_snapshot(&rig.array.snapshot(), log.clone()).unwrap();
    assert_eq!(stale(&Rig { array: copy, log }), [1; 512], "a checkpoint remembers it");
    rig.array.apply(at(1), VolumeChange::Replace { lun: LUN0 }.into()).unwrap();
    let rig = rig.settled();
    rig.put(A, LUN0, &write(5, 1), &[3; 512]);
    assert_eq!(stale(&rig), [0; 512], "another volume remembers, too");
}

#[test]
fn a_rule_can_be_about_one_page_of_inquiry_data() {
    let about = |op: Option<&str>, page| {
        let op = op.map(|op| op.parse().unwrap());
        let which = CommandFilter { op, page: Some(page), blocks: None };
        FaultRule::on_commands("page", which, answer("0b/00/00"))
    };
    let rig = Rig::with_faults(vec![about(Some("INQUIRY"), InquiryPage::Vpd(0xc9))]);
    assert_eq!(rig.sense(A, LUN0, &[0x12, 1, 0xc9, 0, 48, 0], &[]), "0b/00/00");
    for other in [[0x12, 1, 0xc8, 0, 255, 0], [0x12, 0, 0, 0, 96, 0]] {
        rig.get(A, LUN0, &other, 255);
    }
    let rig = Rig::with_faults(vec![about(None, InquiryPage::Standard)]);
    assert_eq!(rig.sense(A, LUN0, &[0x12, 0, 0, 0, 96, 0], &[]), "0b/00/00");
    rig.get(A, LUN0, &[0x12, 1, 0xc9, 0, 48, 0], 48);
    rig.good(A, LUN0, &TEST_UNIT_READY);
}

#[test]
fn what_is_not_about_data_is_done_faithfully() {
    let rig = corrupting("any", Corruption::DroppedWrite);
    rig.good(A, LUN0, &TEST_UNIT_READY);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
}

#[test]
fn data_can_be_short_and_the_residual_says_so() {
    for (short, got) in [(512, 512), (0, 0), (4096, 1024)] {
        let then = Then::short(short);
        let rig = Rig::with_faults(vec![rule("READ", then)]);
        assert_eq!(rig.get(A, LUN0, &read(0, 2), 1024).len(), got);
    }
}

#[test]
fn what_is_lost_for_ever_is_never_due() {
    let then = Then::lost(Lose::Forever);
    let rig = Rig::with_faults(vec![rule("READ", then)]);
    let command = Command { nexus: A, lun: LUN0, tag: 1, cdb: &read(0, 1) };
    let outcome = rig.array.submit(at(1), &command, &mut Bytes::new(512, &[]));
    assert!(matches!(outcome, Disposition::Parked(_, None)), "{outcome:?}");
    assert_eq!(rig.array.next_event(), None);
}

#[test]
fn a_fault_can_change_the_array() {
    let (controller, state) = (ControllerId::A, ControllerState::Failed);
    let then = Then::after(Action::SetController { controller, state });
    let rig = Rig::with_faults(vec![rule("READ", then)]);
    rig.good(A, LUN0, &TEST_UNIT_READY);
    let reply = rig.send(A, LUN0, &read(0, 1), &[], 512);
    assert_eq!(reply.completion.response, ServiceResponse::BadTarget);
}

#[test]
fn only_a_lun_of_the_owner_is_meant() {
    let then = Then::answered(Answer::Sense(Sense::new(4, 0x44, 0)));
    let mut rule = rule("TEST UNIT READY", then);
    rule.when.owner = Some(ControllerId::B);
    let rig = Rig::with_faults(vec![rule]);
    rig.good(A, LUN0, &TEST_UNIT_READY);
    assert_eq!(rig.sense(A, LUN1, &TEST_UNIT_READY, &[]), "04/44/00");
}

#[test]
fn sense_can_have_another_form() {
    let sense = Sense::new(6, 0x29, 0).with_form(SenseForm::NoLength);
    let then = Then::answered(Answer::Sense(sense));
    let rig = Rig::with_faults(vec![rule("TEST UNIT READY", then)]);
    let completion = rig.send(A, LUN0, &TEST_UNIT_READY, &[], 0).completion;
    assert_eq!(completion.sense.map(|sense| sense.form()), Some(SenseForm::NoLength));
}

#[test]
fn a_recovered_error_is_of_a_command_that_was_carried_out() {
    let recovered = Sense::new(1, 0x18, 0);
    let rig = Rig::with_faults(vec![rule("WRITE", Then::answered(Answer::Sense(recovered)))]);
    let reply = rig.send(A, LUN0, &write(0, 1), &[7; 512], 0);
    assert_eq!((reply.completion.sense, reply.completion.residual), (Some(recovered), 0));
    assert_eq!(rig.send(A, LUN0, &read(0, 1), &[], 512).data, [7; 512]);
    let outside = rig.sense(A, LUN0, &write(1 << 20, 1), &[7; 512]);
    assert_eq!(outside, "05/21/00", "what fails is not recovered");
    let deferred = recovered.with_form(SenseForm::DeferredFixed);
    let rig = Rig::with_faults(vec![rule("WRITE", Then::answered(Answer::Sense(deferred)))]);
    rig.sense(A, LUN0, &write(0, 1), &[7; 512]);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512], "an earlier command has recovered");
}

/// Which of 100 commands a rule with a probability catches.
fn caught(seed: u64, name: &str) -> BTreeSet<usize> {
    let then = Then::answered(Answer::Sense(Sense::new(4, 0x44, 0)));
    let mut rule = rule("TEST UNIT READY", then);
    rule.name = name.into();
    rule.when.chance = Chance::new(0.3);
    let rig = Rig::new(ArrayConfig { seed, ..config() }).settled();
    rig.array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
    let failed = |_: &usize| rig.answer_at(at(1), A, LUN0, &TEST_UNIT_READY) != "GOOD";
    (0..100).filter(failed).collect()
}

#[test]
fn chance_follows_the_seed_and_each_rule_has_its_own() {
    let first = caught(1, "a");
    assert!((15..=45).contains(&first.len()), "{}", first.len());
    assert_eq!(first, caught(1, "a"));
    assert_ne!(first, caught(2, "a"));
    assert_ne!(first, caught(1, "b"));
    assert_eq!(Chance::new(0.25).map(Chance::probability), Some(0.25));
    assert!([0.0, -1.0, 1.1, f64::NAN].iter().all(|chance| Chance::new(*chance).is_none()));
}

#[test]
fn delays_stay_within_their_bounds() {
    let (short, long) = (Duration::from_millis(1), Duration::from_millis(5));
    for random in [0, 1, u64::MAX / 2, u64::MAX] {
        assert_eq!(Delay::Fixed(long).of(random), long);
        assert!((short..=long).contains(&Delay::Between(short, long).of(random)));
        assert!(Delay::Exponential(short).of(random) <= 10 * short);
    }
    assert_eq!(Delay::Exponential(short).of(0), Duration::ZERO);
}
