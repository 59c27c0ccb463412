use super::*;
use crate::{
    Action, ControllerId, FrameConfig, LunCondition, PersonalityConfig, Status, testing::*,
};

const READ: [u8; 10] = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
/// The parameter list that Linux sends, except for the high bit of the trespass code.
const LONG: [u8; 19] = [0, 0, 0, 0, 0, 0, 0, 0, 0x22, 9, 1, 0xff, 0xff, 0, 0, 0, 0, 0, 0];
const SHORT: [u8; 8] = [0, 0, 0, 0, 0x22, 2, 0x81, 0xff];
const MODE_SELECT_LONG: [u8; 10] = [0x55, 0, 0, 0, 0, 0, 0, 0, 19, 0];
const MODE_SELECT_SHORT: [u8; 6] = [0x15, 0x10, 0, 0, 8, 0];

fn rig(emc: EmcConfig) -> Rig {
    let personality = PersonalityConfig::Emc(emc);
    let identity = personality.identity();
    Rig::new(with(FrameConfig { personality, identity, ..frame() })).settled()
}

fn mode(failover_mode: FailoverMode) -> EmcConfig {
    EmcConfig { failover_mode, ..EmcConfig::default() }
}

fn c0(rig: &Rig, nexus: crate::Nexus, lun: crate::Lun) -> Vec<u8> {
    rig.get(nexus, lun, &[0x12, 1, 0xc0, 0, 255, 0], 255)
}

#[test]
fn the_inquiry_data_has_serial_number_and_model_with_room_behind_them() {
    let data = rig(EmcConfig::default()).get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255);
    assert_eq!((data.len(), data[4]), (200, 195));
    assert_eq!((data[2], data[5] & 0x30), (4, 0), "TPGS must be 0, or Linux attaches alua");
    assert_eq!(data[8..22], *b"DGC     RAID 5");
    let (serial, model) = (usize::from(data[160]), usize::from(data[99]));
    assert_eq!(data[161..161 + serial], *b"SANSIM0001");
    assert_eq!(data[161 + serial..][..model], *b"CX3-40f");
    assert!(161 + serial + model < data.len(), "Linux writes a NUL there");
}

#[test]
fn an_old_array_has_36_bytes_and_a_model_must_fit() {
    let short = EmcConfig { inquiry: InquiryForm::Short, ..EmcConfig::default() };
    assert_eq!(rig(short).get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255).len(), 36);
    for model in ["", "a model of 17 let", "ä"] {
        assert!(InquiryForm::Model(model.into()).check().is_err(), "{model}");
    }
}

#[test]
fn page_c0_tells_who_owns_the_lun_and_where_one_is() {
    let rig = rig(EmcConfig::default());
    assert_eq!(rig.get(A, LUN0, &[0x12, 1, 0, 0, 255, 0], 255)[4..].last(), Some(&0xc0));
    let (a, b) = (c0(&rig, A, LUN0), c0(&rig, B, LUN0));
    assert_eq!((a.len(), a[..4].to_vec()), (128, vec![0, 0xc0, 0, 124]));
    assert_eq!((a[4], a[5], a[7], a[8], a[9]), (2, 0, 0, 0, 0));
    assert_eq!((b[4], b[5], b[7], b[8], b[9]), (1, 0, 0, 1, 0));
    assert_eq!(a[10..26], b[10..26]);
    assert_eq!((a[27], a[28], a[30], a[48]), (3, 4, 4, 0));
    assert_eq!(c0(&rig, B, LUN1)[5], 1, "LUN 1 should be with B");
}

#[test]
fn a_passive_path_is_not_ready() {
    let rig = rig(EmcConfig::default());
    assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), "02/04/03");
    assert_eq!(rig.sense(B, LUN0, &READ, &[]), "02/04/03");
    assert_eq!(rig.get(B, LUN0, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)[..4], [0, 0, 7, 255]);
}

#[test]
fn a_trespass_of_either_form_moves_the_lun() {
    let rig = rig(EmcConfig::default());
    rig.put(B, LUN0, &MODE_SELECT_LONG, &LONG);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
    assert_eq!(rig.array.owner(LUN1), Some(ControllerId::B), "and no other one");
    rig.put(A, LUN0, &MODE_SELECT_SHORT, &SHORT);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    let mut named = LONG;
    named[11..13].copy_from_slice(&[0, 1]);
    rig.put(A, LUN0, &MODE_SELECT_LONG, &named);
    assert_eq!(rig.array.owner(LUN1), Some(ControllerId::A), "the LUN that the page names");
}

#[test]
fn a_page_that_makes_no_sense_moves_nothing() {
    let rig = rig(EmcConfig::default());
    for (at, value) in [(10, 0x02), (11, 0x00), (9, 8), (9, 10), (8, 0x23)] {
        let mut list = LONG;
        list[at] = value;
        let sense = rig.sense(B, LUN0, &MODE_SELECT_LONG, &list);
        assert!(["05/26/00", "05/1a/00"].contains(&sense.as_str()), "byte {at}: {sense}");
        assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    }
}

#[test]
fn mode_sense_tells_the_page() {
    let rig = rig(EmcConfig::default());
    let page = rig.get(A, LUN0, &[0x1a, 0x08, 0x22, 0, 255, 0], 255);
    assert_eq!(page[4..], [0x22, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn failover_modes_differ_in_what_a_passive_path_does() {
    let auto = rig(mode(FailoverMode::AutoTrespass));
    auto.good(B, LUN0, &TEST_UNIT_READY);
    assert_eq!(auto.array.owner(LUN0), Some(ControllerId::A));
    auto.get(B, LUN0, &READ, 512);
    assert_eq!(auto.array.owner(LUN0), Some(ControllerId::B), "a read moved it");
    assert_eq!(c0(&auto, A, LUN0)[28], 2);

    let ready = rig(mode(FailoverMode::PassiveAlwaysReady));
    ready.good(B, LUN0, &TEST_UNIT_READY);
    assert_eq!(ready.sense(B, LUN0, &READ, &[]), "02/04/03");
    assert_eq!(c0(&ready, A, LUN0)[28], 3);

    let passive = rig(mode(FailoverMode::PassiveNotReady));
    assert_eq!(passive.sense(B, LUN0, &TEST_UNIT_READY, &[]), "02/04/03");
    assert_eq!(c0(&passive, A, LUN0)[28], 1);
}

#[test]
fn new_firmware_is_told_on_both_sides_and_stops_every_trespass() {
    let rig = rig(EmcConfig::default());
    let state = ControllerState::Upgrading;
    rig.array.apply(at(0), Action::SetController { controller: ControllerId::A, state }).unwrap();
    assert_eq!((c0(&rig, A, LUN0)[48], c0(&rig, B, LUN0)[48]), (1, 1));
    assert_eq!(rig.sense(B, LUN0, &MODE_SELECT_LONG, &LONG), "02/04/03");
    assert_eq!(rig.sense(A, LUN0, &READ, &[]), "02/04/03");
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
}

#[test]
fn an_array_copy_stops_a_trespass_and_an_inactive_snapshot_stops_io() {
    let rig = rig(EmcConfig::default());
    let set = |condition| {
        rig.array.apply(at(0), Action::SetCondition { lun: LUN0, condition }).unwrap();
    };
    set(LunCondition::ArrayCopy);
    assert_eq!(rig.sense(B, LUN0, &MODE_SELECT_LONG, &LONG), "05/04/00");
    rig.get(A, LUN0, &READ, 512);
    set(LunCondition::InactiveSnapshot);
    assert_eq!(rig.sense(A, LUN0, &READ, &[]), "05/25/01");
    set(LunCondition::None);
    rig.get(A, LUN0, &READ, 512);
    rig.put(B, LUN0, &MODE_SELECT_LONG, &LONG);
}

#[test]
fn a_reservation_stops_a_trespass_only_if_it_asks_to_be_stopped() {
    let rig = rig(EmcConfig::default());
    let list = persistent_list(0, 0xa, 0);
    rig.put(A, LUN0, &persistent_out(0, 0, 24), &list);
    rig.put(A, LUN0, &persistent_out(1, 1, 24), &persistent_list(0xa, 0, 0));
    let trespass = |code: u8| {
        let mut list = LONG;
        list[10] = code;
        rig.send(B, LUN0, &MODE_SELECT_LONG, &list, 0).completion.status
    };
    assert_eq!(trespass(0x01), Status::ReservationConflict);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::A));
    let control = [0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 10, 0, 0x10, 0, 0x40, 0, 0, 0, 0, 0, 0];
    let cdb = [0x55, 0x10, 0, 0, 0, 0, 0, 0, 20, 0];
    let other = rig.send(B, LUN0, &cdb, &control, 0).completion.status;
    assert_eq!(other, Status::ReservationConflict, "other pages are not different");
    assert_eq!(trespass(0x81), Status::Good);
    assert_eq!(rig.array.owner(LUN0), Some(ControllerId::B));
}
