//! Tests of registrations and persistent reservations.

use super::*;

#[test]
fn a_key_is_registered_changed_and_taken_back() {
    let rig = rig();
    assert_eq!(keys(&rig), (0, vec![]));
    good(&rig, A, REGISTER, 0, 0, 0xa);
    assert_eq!(keys(&rig), (1, vec![0xa]));
    conflict(&rig, A, REGISTER, 0, 0, 0xb);
    conflict(&rig, A, REGISTER, 0, 0xc, 0xb);
    conflict(&rig, A1, REGISTER, 0, 0xa, 0xb);
    good(&rig, A, REGISTER, 0, 0xa, 0xb);
    assert_eq!(keys(&rig), (2, vec![0xb]));
    good(&rig, A, REGISTER_AND_IGNORE, 0, 0x99, 0xc);
    good(&rig, A1, REGISTER_AND_IGNORE, 0, 0, 0xc);
    assert_eq!(keys(&rig), (4, vec![0xc, 0xc]));
    good(&rig, A, REGISTER, 0, 0xc, 0);
    good(&rig, A1, REGISTER_AND_IGNORE, 0, 0, 0);
    assert_eq!(keys(&rig), (6, vec![]));
}

#[test]
fn an_unregistered_nexus_that_takes_back_nothing_changes_nothing() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0);
    good(&rig, A, REGISTER_AND_IGNORE, 0, 7, 0);
    assert_eq!(keys(&rig), (0, vec![]));
}

#[test]
fn only_who_is_registered_and_knows_its_key_gets_anywhere() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    for action in [RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT] {
        conflict(&rig, A, action, 1, 0xb, 0xa);
        conflict(&rig, A, action, 1, 0, 0xa);
        conflict(&rig, A1, action, 1, 0, 0xa);
        conflict(&rig, A1, action, 1, 0xa, 0xa);
    }
    assert_eq!((keys(&rig), reservation(&rig)), ((1, vec![0xa]), None));
}

#[test]
fn a_reservation_is_taken_once_and_released_by_its_holder() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    assert_eq!(reservation(&rig), Some((0xa, WRITE_EXCLUSIVE)));
    conflict(&rig, A, RESERVE, EXCLUSIVE_ACCESS, 0xa, 0);
    conflict(&rig, A1, RESERVE, WRITE_EXCLUSIVE, 0xb, 0);
    good(&rig, A1, RELEASE, WRITE_EXCLUSIVE, 0xb, 0);
    assert_eq!(reservation(&rig), Some((0xa, WRITE_EXCLUSIVE)), "it had nothing to release");
    let wrong = out(&rig, A, RELEASE, EXCLUSIVE_ACCESS, 0xa, 0).completion.sense;
    assert_eq!(wrong.unwrap().to_string(), "05/26/04");
    good(&rig, A, RELEASE, WRITE_EXCLUSIVE, 0xa, 0);
    assert_eq!((keys(&rig).0, reservation(&rig)), (2, None), "neither of them counts");
    assert_eq!(attentions(&rig, A1), [""; 0], "it could do no more than it can now");
}

#[test]
fn a_shared_reservation_that_ends_is_told_to_who_shared_it() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE_RO, 0xa, 0);
    good(&rig, A, RELEASE, WRITE_EXCLUSIVE_RO, 0xa, 0);
    assert_eq!(attentions(&rig, A1), ["06/2a/04"]);
    good(&rig, A, RESERVE, EXCLUSIVE_ACCESS_RO, 0xa, 0);
    good(&rig, A, REGISTER, 0, 0xa, 0);
    assert_eq!(reservation(&rig), None, "it goes with its holder's registration");
    assert_eq!(attentions(&rig, A1), ["06/2a/04"]);
    assert_eq!(attentions(&rig, A), [""; 0]);
    assert_eq!(attentions(&rig, A2), [""; 0], "it never shared it");
}

#[test]
fn all_registrants_hold_together_until_the_last_one_leaves() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE_AR, 0xa, 0);
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE_AR, 0xb, 0);
    assert_eq!(reservation(&rig), Some((0, WRITE_EXCLUSIVE_AR)));
    good(&rig, A, REGISTER, 0, 0xa, 0);
    assert_eq!(reservation(&rig), Some((0, WRITE_EXCLUSIVE_AR)));
    assert_eq!((writes(&rig, A), writes(&rig, A1)), (Status::ReservationConflict, Status::Good));
    good(&rig, A1, REGISTER, 0, 0xb, 0);
    assert_eq!(reservation(&rig), None);
}

#[test]
fn anybody_registered_can_clear_everything() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, RESERVE, EXCLUSIVE_ACCESS, 0xa, 0);
    good(&rig, A1, CLEAR, 0, 0xb, 0);
    assert_eq!(attentions(&rig, A), ["06/2a/03"]);
    assert_eq!((keys(&rig), reservation(&rig)), ((3, vec![]), None));
}

#[test]
fn clear_tells_who_was_registered() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, CLEAR, 0, 0xa, 0);
    assert_eq!(attentions(&rig, A1), ["06/2a/03"]);
    assert_eq!((attentions(&rig, A), attentions(&rig, A2)), (vec![], vec![]));
}

#[test]
fn preempting_the_holder_takes_its_place_and_its_registration() {
    let rig = rig();
    for (nexus, key) in [(A, 0xa), (A1, 0xb), (A2, 0xc)] {
        good(&rig, nexus, REGISTER, 0, 0, key);
    }
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE, 0xb, 0);
    good(&rig, A, PREEMPT, WRITE_EXCLUSIVE_RO, 0xa, 0xb);
    assert_eq!(reservation(&rig), Some((0xa, WRITE_EXCLUSIVE_RO)));
    assert_eq!(keys(&rig), (4, vec![0xa, 0xc]));
    assert_eq!(attentions(&rig, A1), ["06/2a/05"]);
    assert_eq!(attentions(&rig, A2), ["06/2a/04"], "the type is another one");
    assert_eq!((writes(&rig, A1), writes(&rig, A2)), (Status::ReservationConflict, Status::Good));
}

#[test]
fn preempting_somebody_else_takes_the_registration_alone() {
    let rig = rig();
    for (nexus, key) in [(A, 0xa), (A1, 0xb), (A2, 0xc)] {
        good(&rig, nexus, REGISTER, 0, 0, key);
    }
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE_RO, 0xb, 0);
    good(&rig, A, PREEMPT, EXCLUSIVE_ACCESS, 0xa, 0xc);
    assert_eq!(reservation(&rig), Some((0xb, WRITE_EXCLUSIVE_RO)));
    assert_eq!(keys(&rig), (4, vec![0xa, 0xb]));
    assert_eq!((attentions(&rig, A1), attentions(&rig, A2)), (vec![], vec!["06/2a/05".into()]));
    conflict(&rig, A, PREEMPT, EXCLUSIVE_ACCESS, 0xa, 0xdead);
    let nobody = out(&rig, A, PREEMPT, EXCLUSIVE_ACCESS, 0xa, 0).completion.sense;
    assert_eq!(nobody.unwrap().to_string(), "05/26/00");
}

#[test]
fn preempting_all_registrants_needs_no_key() {
    let rig = rig();
    for (nexus, key) in [(A, 0xa), (A1, 0xb), (A2, 0xc)] {
        good(&rig, nexus, REGISTER, 0, 0, key);
    }
    good(&rig, A1, RESERVE, WRITE_EXCLUSIVE_AR, 0xb, 0);
    good(&rig, A, PREEMPT, WRITE_EXCLUSIVE_AR, 0xa, 0xb);
    assert_eq!(keys(&rig).1, [0xa, 0xc], "a key takes that registration alone");
    good(&rig, A, PREEMPT, EXCLUSIVE_ACCESS, 0xa, 0);
    assert_eq!((keys(&rig).1, reservation(&rig)), (vec![0xa], Some((0xa, EXCLUSIVE_ACCESS))));
    assert_eq!(attentions(&rig, A2), ["06/2a/05"]);
}

#[test]
fn a_holder_can_preempt_itself_to_change_the_type() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    good(&rig, A, PREEMPT, EXCLUSIVE_ACCESS, 0xa, 0xa);
    assert_eq!((keys(&rig), reservation(&rig)), ((2, vec![0xa]), Some((0xa, EXCLUSIVE_ACCESS))));
    assert_eq!(attentions(&rig, A), [""; 0]);
}
