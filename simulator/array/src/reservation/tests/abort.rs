//! Tests of PREEMPT AND ABORT.

use super::*;
use crate::{
    Command, Disposition, FaultRule, Notice, OpMatcher, ServiceResponse, Then, Ticket,
    testing::Bytes,
};

/// An array with a fault rule that holds every write.
fn holding() -> Rig {
    let rig = rig();
    let writes: OpMatcher = "WRITE".parse().unwrap();
    let rule = FaultRule::on_commands("holding", writes.into(), Then::held("gate"));
    rig.array.apply(at(0), crate::Action::AddRule(Box::new(rule))).unwrap();
    for (nexus, key) in [(A, 0xa), (A1, 0xb), (A2, 0xc)] {
        good(&rig, nexus, REGISTER, 0, 0, key);
    }
    rig
}

fn held_write(rig: &Rig, nexus: Nexus) -> Ticket {
    let command = Command { nexus, lun: LUN0, tag: 1, cdb: &write(0, 1) };
    match rig.array.submit(at(1), &command, &mut Bytes::new(0, &[7; 512])) {
        Disposition::Parked(ticket, _) => ticket,
        other => panic!("{other:?}"),
    }
}

fn completion(rig: &Rig, nexus: Nexus, ticket: Ticket) -> crate::Completion {
    assert_eq!(rig.array.notices(at(2), nexus.hba), [Notice::Resume(ticket)]);
    let command = Command { nexus, lun: LUN0, tag: 1, cdb: &write(0, 1) };
    match rig.array.resume(at(2), ticket, &command, &mut Bytes::new(0, &[7; 512])) {
        Disposition::Complete(completion) => completion,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_commands_of_the_preempted_are_aborted_and_no_others() {
    let rig = holding();
    let (own, theirs, anothers) = (held_write(&rig, A), held_write(&rig, A1), held_write(&rig, A2));
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE_RO, 0xb, 0);
    good(&rig, A, PREEMPT_AND_ABORT, WRITE_EXCLUSIVE_RO, 0xa, 0xb);
    assert_eq!(completion(&rig, A1, theirs).response, ServiceResponse::Aborted);
    assert_eq!(attentions(&rig, A1), ["06/2f/00", "06/2a/05"]);
    for (nexus, ticket) in [(A, own), (A2, anothers)] {
        assert_eq!(rig.array.notices(at(2), nexus.hba), [], "{ticket:?} waits on");
    }
    assert_eq!(reservation(&rig), Some((0xa, WRITE_EXCLUSIVE_RO)));
}

#[test]
fn preempt_alone_aborts_nothing_but_the_write_meets_the_conflict() {
    let rig = holding();
    let theirs = held_write(&rig, A1);
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE, 0xb, 0);
    good(&rig, A, PREEMPT, WRITE_EXCLUSIVE, 0xa, 0xb);
    assert_eq!(rig.array.notices(at(2), A1.hba), []);
    assert_eq!(attentions(&rig, A1), ["06/2a/05"]);
    rig.array.apply(at(2), crate::Action::Release { hold: "gate".into() }).unwrap();
    assert_eq!(completion(&rig, A1, theirs).status, Status::ReservationConflict);
}

#[test]
fn who_wants_to_see_task_aborted_does() {
    let rig = holding();
    // MODE SELECT(6) of the control mode page with TAS, the page's byte 5.
    let mut list = [0; 16];
    list[4..6].copy_from_slice(&[0x0a, 0x0a]);
    list[4 + 3] = 0x10; // The current value.
    list[4 + 5] = 0x40;
    rig.put(A1, LUN0, &[0x15, 0x10, 0, 0, 16, 0], &list);
    let theirs = held_write(&rig, A1);
    good(&rig, A, PREEMPT_AND_ABORT, WRITE_EXCLUSIVE, 0xa, 0xb);
    assert_eq!(completion(&rig, A1, theirs).status, Status::TaskAborted);
    assert_eq!(attentions(&rig, A1), ["06/2a/05"]);
}

#[test]
fn who_preempts_itself_aborts_its_own_commands() {
    let rig = holding();
    let own = held_write(&rig, A);
    good(&rig, A, PREEMPT_AND_ABORT, WRITE_EXCLUSIVE, 0xa, 0xa);
    assert_eq!(completion(&rig, A, own).response, ServiceResponse::Aborted);
    assert_eq!(attentions(&rig, A), [""; 0]);
}
