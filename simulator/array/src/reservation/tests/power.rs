//! Which events reservations survive.

use super::*;
use crate::{Action, ControllerState, TaskManagement};

fn set(rig: &Rig, controller: ControllerId, state: ControllerState) {
    rig.array.apply(at(1), Action::SetController { controller, state }).unwrap();
}

/// Makes both controllers fail and come back.
fn lose_power(rig: &Rig) {
    for state in [ControllerState::Failed, ControllerState::Online] {
        set(rig, ControllerId::A, state);
        set(rig, ControllerId::B, state);
    }
    for nexus in [A, A1] {
        assert_eq!(attentions(rig, nexus), ["06/29/00"]);
    }
}

fn reserved(flags: u8) -> Rig {
    let rig = rig();
    rig.put(A, LUN0, &persistent_out(REGISTER, 0, 24), &persistent_list(0, 0xa, flags));
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    rig
}

#[test]
fn they_outlive_resets() {
    let rig = reserved(0);
    rig.array.task_management(at(1), A, LUN0, TaskManagement::LogicalUnitReset);
    rig.array.task_management(at(1), A, LUN0, TaskManagement::ItNexusReset);
    assert_eq!(attentions(&rig, A), ["06/29/07"]);
    assert_eq!(attentions(&rig, A1), ["06/29/03"]);
    assert_eq!((keys(&rig), reservation(&rig)), ((1, vec![0xa]), Some((0xa, WRITE_EXCLUSIVE))));
}

#[test]
fn they_outlive_each_controller_and_a_change_of_ownership() {
    let rig = reserved(0);
    for controller in [ControllerId::A, ControllerId::B] {
        set(&rig, controller, ControllerState::Failed);
        set(&rig, controller, ControllerState::Online);
    }
    let (lun, controller) = (LUN0, ControllerId::B);
    rig.array.apply(at(2), Action::SetOwner { lun, controller }).unwrap();
    attentions(&rig, A);
    attentions(&rig, B);
    assert_eq!((keys(&rig), reservation(&rig)), ((1, vec![0xa]), Some((0xa, WRITE_EXCLUSIVE))));
    assert_eq!(writes(&rig, B), Status::ReservationConflict, "the new owner knows of it");
}

#[test]
fn without_aptpl_they_go_with_the_power() {
    let rig = reserved(0);
    lose_power(&rig);
    assert_eq!((keys(&rig), reservation(&rig)), ((0, vec![]), None));
    assert_eq!(writes(&rig, A1), Status::Good);
}

#[test]
fn with_aptpl_they_outlive_the_power_but_the_generation_does_not() {
    let rig = reserved(1);
    lose_power(&rig);
    assert_eq!((keys(&rig), reservation(&rig)), ((0, vec![0xa]), Some((0xa, WRITE_EXCLUSIVE))));
    assert_eq!((writes(&rig, A), writes(&rig, A1)), (Status::Good, Status::ReservationConflict));
}

#[test]
fn the_last_registration_says_what_is_outlived() {
    let rig = reserved(1);
    good(&rig, A, REGISTER, 0, 0xa, 0xb);
    lose_power(&rig);
    assert_eq!((keys(&rig), reservation(&rig)), ((0, vec![]), None));
}

#[test]
fn what_spc_2_reserved_goes_with_the_controller_it_was_reserved_through() {
    let rig = rig();
    let reserve =
        |nexus| assert_eq!(status(&rig, nexus, &[0x16, 0, 0, 0, 0, 0], &[], 0), Status::Good);
    reserve(B);
    set(&rig, ControllerId::A, ControllerState::Failed);
    set(&rig, ControllerId::A, ControllerState::Online);
    attentions(&rig, A);
    assert_eq!(writes(&rig, A), Status::ReservationConflict);
    set(&rig, ControllerId::B, ControllerState::Failed);
    assert_eq!(writes(&rig, A), Status::Good);
}

#[test]
fn a_snapshot_has_them() {
    let rig = reserved(0);
    let log = std::sync::Arc::new(crate::testing::Log::default());
    let array = crate::Array::from_snapshot(&rig.array.snapshot(), log.clone()).unwrap();
    let copy = Rig { array, log };
    assert_eq!((keys(&copy), reservation(&copy)), ((1, vec![0xa]), Some((0xa, WRITE_EXCLUSIVE))));
    assert_eq!(writes(&copy, A1), Status::ReservationConflict);
}
