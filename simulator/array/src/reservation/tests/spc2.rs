//! Tests of RESERVE and RELEASE.

use super::*;
use crate::TaskManagement;

const RESERVE_6: [u8; 6] = [0x16, 0, 0, 0, 0, 0];
const RELEASE_6: [u8; 6] = [0x17, 0, 0, 0, 0, 0];
const RESERVE_10: [u8; 10] = [0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const RELEASE_10: [u8; 10] = [0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn ask(rig: &Rig, nexus: Nexus, cdb: &[u8]) -> Status {
    status(rig, nexus, cdb, &[], 0)
}

#[test]
fn who_reserves_keeps_the_others_out_until_it_releases() {
    use Status::{Good, ReservationConflict as Conflict};
    for (reserve, release) in [(&RESERVE_6[..], &RELEASE_10[..]), (&RESERVE_10, &RELEASE_6)] {
        let rig = rig();
        assert_eq!([ask(&rig, A, reserve), ask(&rig, A, reserve)], [Good; 2]);
        assert_eq!(ask(&rig, A1, reserve), Conflict);
        assert_eq!([A, A1].map(|it| writes(&rig, it)), [Good, Conflict]);
        assert_eq!([A, A1].map(|it| reads(&rig, it)), [Good, Conflict]);
        assert_eq!([A, A1].map(|it| ask(&rig, it, &TEST_UNIT_READY)), [Good, Conflict]);
        assert_eq!(status(&rig, A1, &[0x12, 0, 0, 0, 36, 0], &[], 36), Good);
        assert_eq!(ask(&rig, A1, release), Good, "it has nothing to release");
        assert_eq!(writes(&rig, A1), Conflict);
        assert_eq!(ask(&rig, A, release), Good);
        assert_eq!(writes(&rig, A1), Good);
    }
}

#[test]
fn extents_and_third_parties_are_not_supported() {
    let rig = rig();
    for bits in [0x01, 0x10, 0x02] {
        assert_eq!(rig.sense(A, LUN0, &[0x16, bits, 0, 0, 0, 0], &[]), "05/24/00");
    }
}

#[test]
fn a_reset_or_the_loss_of_its_nexus_ends_it() {
    let rig = rig();
    let reset = |function| {
        assert_eq!(ask(&rig, A, &RESERVE_6), Status::Good);
        rig.array.task_management(at(2), A, LUN0, function);
        attentions(&rig, A);
        attentions(&rig, A1);
        assert_eq!(writes(&rig, A1), Status::Good);
    };
    reset(TaskManagement::LogicalUnitReset);
    reset(TaskManagement::ItNexusReset);
    assert_eq!(ask(&rig, A, &RESERVE_6), Status::Good);
    rig.array.task_management(at(2), A1, LUN0, TaskManagement::ItNexusReset);
    assert_eq!(attentions(&rig, A1), ["06/29/07"]);
    assert_eq!(
        writes(&rig, A1),
        Status::ReservationConflict,
        "the nexus lost was not its holder's"
    );
}

#[test]
fn while_it_is_reserved_nobody_speaks_of_persistent_reservations() {
    let rig = rig();
    assert_eq!(ask(&rig, A, &RESERVE_6), Status::Good);
    for nexus in [A, A1] {
        conflict(&rig, nexus, REGISTER, 0, 0, 1);
        let keys = status(&rig, nexus, &persistent_in(READ_KEYS), &[], 8192);
        assert_eq!(keys, Status::ReservationConflict);
    }
}

#[test]
fn registrations_forbid_it_but_for_those_whom_the_reservation_serves() {
    use Status::{Good, ReservationConflict as Conflict};
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    assert_eq!([A, A1, A2].map(|it| ask(&rig, it, &RESERVE_6)), [Conflict; 3]);
    assert_eq!([A, A1, A2].map(|it| ask(&rig, it, &RELEASE_6)), [Conflict; 3]);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    assert_eq!([A, A1, A2].map(|it| ask(&rig, it, &RESERVE_6)), [Good, Conflict, Conflict]);
    assert_eq!([A, A1, A2].map(|it| writes(&rig, it)), [Good, Conflict, Conflict], "as before");
    good(&rig, A, RELEASE, WRITE_EXCLUSIVE, 0xa, 0);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE_RO, 0xa, 0);
    assert_eq!([A, A1, A2].map(|it| ask(&rig, it, &RELEASE_6)), [Good, Good, Conflict]);
    assert_eq!(reservation(&rig), Some((0xa, WRITE_EXCLUSIVE_RO)));
}
