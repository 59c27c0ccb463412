//! Parked commands: delayed, held or lost.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::*;
use crate::{
    Action, Changed, ControllerId, ControllerState, Fate, FrameConfig, Lose, Notice, PortId,
    ServiceResponse, Status, Target, Wait,
};

fn delayed(millis: u64) -> Then {
    Then::delayed(Duration::from_millis(millis))
}

fn release(rig: &Rig, now: u64) {
    rig.array.apply(at(now), Action::Release { hold: "h".into() }).unwrap();
}

#[test]
fn a_delayed_command_is_carried_out_when_it_is_due() {
    let rig = Rig::with_faults(vec![rule("r", "WRITE", Matches::First(1), delayed(50))]);
    let mut sent = Sent::parked(&rig, at(10), A, 1, &write(0, 1), &[7; 512]);
    assert_eq!(sent.due, Some(at(60)));
    assert_eq!(rig.array.notices(at(59), A.hba), []);
    assert!(matches!(sent.resume(&rig, at(59)), Disposition::Parked(ticket, Some(due))
        if ticket == sent.ticket() && due == at(60)));
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
    assert_eq!(rig.array.notices(at(60), A.hba), [Notice::Resume(sent.ticket())]);
    assert_eq!(rig.array.notices(at(61), A.hba), [], "once");
    assert_eq!(sent.finish(&rig, at(60)).completion.status, Status::Good);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [7; 512]);
    let record = &rig.records()[1];
    assert_eq!((record.at, record.fault.as_deref()), (at(10), Some("r")));
}

#[test]
fn one_hba_asking_tells_the_others_of_theirs() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, delayed(50))]);
    let rung = Arc::new(AtomicUsize::new(0));
    let count = rung.clone();
    rig.array.attach(
        B.hba,
        Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }),
    );
    let sent = Sent::parked(&rig, at(0), B, 1, &read(0, 1), &[]);
    assert_eq!(rig.array.notices(at(50), A.hba), []);
    assert_eq!(rung.load(Ordering::Relaxed), 1);
    assert_eq!(rig.array.notices(at(50), B.hba), [Notice::Resume(sent.ticket())]);
}

#[test]
fn held_commands_wait_for_their_release_and_later_ones_do_not() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold("h"))]);
    let first = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    let second = Sent::parked(&rig, at(1), A, 2, &read(0, 1), &[]);
    assert_eq!((first.due, second.due), (None, None));
    assert_eq!(rig.array.notices(at(1_000_000), A.hba), []);
    release(&rig, 20);
    let both = [Notice::Resume(first.ticket()), Notice::Resume(second.ticket())];
    assert_eq!(rig.array.notices(at(20), A.hba), both);
    assert_eq!(first.finish(&rig, at(20)).data, [0; 512]);
    assert_eq!(second.finish(&rig, at(20)).data, [0; 512]);
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
    let held = Changed::Parked {
        rule: "r".into(),
        hold: Some("h".into()),
        nexus: A,
        lun: LUN0,
        op: crate::Operation::of(&read(0, 1)),
    };
    let released = Changed::Released { hold: "h".into(), commands: 2 };
    assert_eq!(rig.changes(), [held.clone(), held, released]);
    rig.array.apply(at(30), Action::Arm { rule: "r".into(), armed: true }).unwrap();
    Sent::parked(&rig, at(31), A, 3, &read(0, 1), &[]);
}

#[test]
fn a_held_command_meets_the_array_as_it_is_when_it_goes_on() {
    let rig = Rig::with_faults(vec![rule("r", "WRITE", Matches::First(1), hold("h"))]);
    let sent = Sent::parked(&rig, at(0), A, 1, &write(0, 1), &[7; 512]);
    let (lun, controller) = (LUN0, ControllerId::B);
    rig.array.apply(at(1), Action::SetOwner { lun, controller }).unwrap();
    release(&rig, 2);
    let completion = sent.finish(&rig, at(2)).completion;
    assert_eq!(completion.sense.unwrap().to_string(), "05/94/01", "a stale write does not land");
    assert_eq!(completion.residual, 512 + 512);
}

#[test]
fn held_and_delayed_waits_for_both() {
    let then =
        Then::from(Wait { delay: Some(Duration::from_millis(50).into()), hold: Some("h".into()) });
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, then)]);
    let mut sent = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    assert_eq!(sent.due, None, "nobody knows yet");
    release(&rig, 20);
    assert_eq!(rig.array.notices(at(20), A.hba), [Notice::Resume(sent.ticket())]);
    assert!(
        matches!(sent.resume(&rig, at(20)), Disposition::Parked(_, Some(due)) if due == at(50))
    );
    assert_eq!(rig.array.notices(at(50), A.hba), [Notice::Resume(sent.ticket())]);
    assert_eq!(sent.finish(&rig, at(50)).completion.status, Status::Good);
    // After the release, a later command is only delayed, not held.
    assert_eq!(Sent::parked(&rig, at(60), A, 2, &read(0, 1), &[]).due, Some(at(110)));
}

#[test]
fn an_answer_can_be_late() {
    let wait = Wait { delay: Some(Duration::from_millis(50).into()), hold: None };
    let answer = Answer::Sense("02/04/01".parse().unwrap());
    let then = Then::from(Fate::Answered { wait, answer });
    let rig = Rig::with_faults(vec![rule("r", "WRITE", Matches::All, then)]);
    let sent = Sent::parked(&rig, at(0), A, 1, &write(0, 1), &[7; 512]);
    let completion = sent.finish(&rig, at(50)).completion;
    assert_eq!(completion.sense.unwrap().to_string(), "02/04/01");
    assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [0; 512]);
}

#[test]
fn a_lost_command_is_never_carried_out_and_a_lost_reply_is_too_late() {
    for (lose, contents) in [(Lose::Command, 0), (Lose::Reply, 7)] {
        let then = Then::lost(lose);
        let rig = Rig::with_faults(vec![rule("r", "WRITE", Matches::All, then)]);
        let sent = Sent::parked(&rig, at(5), A, 1, &write(0, 1), &[7; 512]);
        assert_eq!(sent.due, Some(at(30_005)), "the command timeout");
        assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [contents; 512]);
        let completion = sent.finish(&rig, at(30_005)).completion;
        assert_eq!(completion.response, ServiceResponse::Failure);
        assert_eq!(rig.get(A, LUN0, &read(0, 1), 512), [contents; 512]);
        assert_eq!(rig.records().len(), 3);
    }
}

#[test]
fn a_lost_reply_carries_no_data_and_still_moves_luns() {
    let then = Then::lost(Lose::Reply);
    let rig = Rig::with_faults(vec![rule("r", "any", Matches::All, then)]);
    let sent = Sent::parked(&rig, at(0), A, 1, &[0x12, 0, 0, 0, 96, 0], &[]);
    let reply = sent.finish(&rig, at(30_000));
    assert_eq!((reply.data.len(), reply.completion.residual), (0, 512));
    let mut list = vec![0; 308];
    list[8..12].copy_from_slice(&[0x6c, 1, 1, 0x28]);
    (list[45], list[50]) = (2, 0x81);
    let sent = Sent::parked(&rig, at(0), B, 1, &[0x55, 0, 0, 0, 0, 0, 0, 1, 0x34, 0], &list);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
    let completion = sent.finish(&rig, at(30_000)).completion;
    assert_eq!(completion.response, ServiceResponse::Failure);
}

#[test]
fn a_controller_that_falls_silent_ends_what_waits_at_it() {
    let rig = Rig::with_faults(vec![
        rule("h", "READ", Matches::All, hold("h")),
        rule("l", "WRITE", Matches::All, Then::lost(Lose::Command)),
    ]);
    let [held, other] = [A, B].map(|it| Sent::parked(&rig, at(0), it, 1, &read(0, 1), &[]));
    let lost = Sent::parked(&rig, at(0), A, 2, &write(0, 1), &[7; 512]);
    let controller = ControllerId::A;
    let set = |state| rig.array.apply(at(1), Action::SetController { controller, state }).unwrap();
    set(ControllerState::Failed);
    let both = [Notice::Resume(held.ticket()), Notice::Resume(lost.ticket())];
    assert_eq!(rig.array.notices(at(1), A.hba), both);
    assert_eq!(rig.array.notices(at(1), B.hba), []);
    set(ControllerState::Online);
    release(&rig, 2);
    for sent in [held, lost] {
        let completion = sent.finish(&rig, at(3)).completion;
        assert_eq!(completion.response, ServiceResponse::BadTarget, "even if it came back since");
    }
    assert_eq!(rig.array.notices(at(3), B.hba), [Notice::Resume(other.ticket())]);
}

#[test]
fn doorbells_ring_for_those_who_have_something_to_fetch() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold("h"))]);
    let rung = Arc::new([const { AtomicUsize::new(0) }; 2]);
    for hba in [A.hba, B.hba] {
        let rung = rung.clone();
        let ring = move || _ = rung[usize::from(hba.0)].fetch_add(1, Ordering::Relaxed);
        rig.array.attach(hba, Arc::new(ring));
    }
    Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    release(&rig, 1);
    assert_eq!([0, 1].map(|hba: usize| rung[hba].load(Ordering::Relaxed)), [1, 0]);
}

#[test]
fn a_notice_of_a_forgotten_command_is_forgotten_too() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold("h"))]);
    let [first, second] = [1, 2].map(|tag| Sent::parked(&rig, at(0), A, tag, &read(0, 1), &[]));
    release(&rig, 1);
    rig.array.forget(first.ticket());
    assert_eq!(rig.array.notices(at(1), A.hba), [Notice::Resume(second.ticket())]);
}

#[test]
fn a_forgotten_command_is_neither_due_nor_reported() {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, delayed(5))]);
    let sent = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    rig.array.forget(sent.ticket());
    assert_eq!(rig.array.notices(at(10), A.hba), []);
    let completion = sent.finish(&rig, at(10)).completion;
    assert_eq!(completion.response, ServiceResponse::Aborted);
    assert_eq!(rig.records(), []);
}

#[test]
fn a_port_whose_queue_is_full_says_so_and_others_do_not() {
    let target = Target { queue_limit: NonZeroU32::new(2), ..Target::default() };
    let rig = Rig::new(with(FrameConfig { target, ..frame() })).settled();
    let rule = rule("r", "READ", Matches::All, delayed(50));
    rig.array.apply(at(0), Action::AddRule(Box::new(rule))).unwrap();
    let first = Sent::parked(&rig, at(1), A, 1, &read(0, 1), &[]);
    let _second = Sent::parked(&rig, at(1), A, 2, &read(0, 1), &[]);
    let answer = |millis, nexus| rig.answer_at(at(millis), nexus, LUN0, &TEST_UNIT_READY);
    assert_eq!(answer(2, A), "TASK SET FULL");
    assert_eq!(answer(2, Nexus { port: PortId { index: 1, ..A.port }, ..A }), "06/29/00");
    assert_eq!(first.finish(&rig, at(51)).completion.status, Status::Good);
    assert_eq!(answer(52, A), "GOOD");
}
