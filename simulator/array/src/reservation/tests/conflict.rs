//! Tests of reservation conflicts.

use super::*;

const ALL: [u8; 6] = [1, 3, 5, 6, 7, 8];

/// The holder is A. A1 is registered; A2 is not.
fn reserved(kind: u8) -> Rig {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A1, REGISTER, 0, 0, 0xb);
    good(&rig, A, RESERVE, kind, 0xa, 0);
    rig
}

#[test]
fn the_types_keep_out_whom_they_should() {
    use Status::{Good, ReservationConflict as Conflict};
    for kind in ALL {
        let rig = reserved(kind);
        let registrant = if kind < 5 { Conflict } else { Good };
        assert_eq!([A, A1, A2].map(|it| writes(&rig, it)), [Good, registrant, Conflict], "{kind}");
        let exclusive = [3, 6, 8].contains(&kind);
        let expected = if exclusive { [Good, registrant, Conflict] } else { [Good; 3] };
        assert_eq!([A, A1, A2].map(|it| reads(&rig, it)), expected, "type {kind}");
    }
}

#[test]
fn what_must_always_be_known_is_always_told() {
    let capacity = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let start = [0x1b, 0, 0, 0, 1, 0];
    for kind in ALL {
        let rig = reserved(kind);
        for cdb in [&TEST_UNIT_READY[..], &[0x12, 0, 0, 0, 36, 0], &[3, 0, 0, 0, 18, 0], &start] {
            assert_eq!(status(&rig, A2, cdb, &[], 36), Status::Good, "{cdb:02x?}");
        }
        assert_eq!(status(&rig, A2, &capacity, &[], 8), Status::Good);
        assert_eq!(status(&rig, A2, &persistent_in(READ_KEYS), &[], 8192), Status::Good);
        let stop = [0x1b, 0, 0, 0, 0, 0];
        assert_eq!(status(&rig, A2, &stop, &[], 0), Status::ReservationConflict);
    }
}

#[test]
fn a_unit_attention_comes_before_the_conflict() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    let newcomer = nexus(3, ControllerId::A);
    assert_eq!(writes(&rig, newcomer), Status::CheckCondition);
    assert_eq!(writes(&rig, newcomer), Status::ReservationConflict);
}

#[test]
fn the_conflict_comes_before_the_wrong_controller() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE, 0xa, 0);
    assert_eq!(writes(&rig, B), Status::ReservationConflict);
    assert_eq!(rig.sense(B, LUN0, &read(0, 1), &[]), "05/94/01");
}

#[test]
fn a_lun_that_is_not_there_cannot_be_reserved() {
    let rig = rig();
    let list = persistent_list(0, 1, 0);
    assert_eq!(rig.sense(A, NO_LUN, &persistent_out(REGISTER, 0, 24), &list), "05/25/00");
    assert_eq!(rig.sense(A, NO_LUN, &persistent_in(READ_KEYS), &[]), "05/25/00");
}
