//! Tests of REGISTER AND MOVE, of registrations for other initiators, and of READ FULL STATUS.

use super::*;
use crate::reservation::transport_id;

/// The parameter list of REGISTER AND MOVE.
fn move_list(key: u64, new: u64, flags: u8, port: u16, hba: u8) -> Vec<u8> {
    let mut list = persistent_list(key, new, 0).to_vec();
    list[17] = flags;
    list[18..20].copy_from_slice(&port.to_be_bytes());
    list[23] = 24;
    list.extend(transport_id::of(HbaId(hba)));
    list
}

fn hand_over(rig: &Rig, nexus: Nexus, list: &[u8]) -> crate::Completion {
    rig.send(nexus, LUN0, &persistent_out(REGISTER_AND_MOVE, 0, list.len()), list, 0).completion
}

/// The parameter list of REGISTER with SPEC_I_PT.
fn list_for(key: u64, new: u64, flags: u8, hbas: &[u8]) -> Vec<u8> {
    let mut list = persistent_list(key, new, 0x08 | flags).to_vec();
    list.extend((24 * hbas.len() as u32).to_be_bytes());
    list.extend(hbas.iter().flat_map(|hba| transport_id::of(HbaId(*hba))));
    list
}

/// Every registration: its key, whether it holds the reservation, its relative target port and its
/// HBA.
fn full_status(rig: &Rig) -> Vec<(u8, bool, u8, u8)> {
    let data = rig.get(A, LUN0, &persistent_in(READ_FULL_STATUS), 8192);
    assert_eq!(be32(&data, 4) as usize, data.len() - 8);
    let entry = |entry: &[u8]| {
        assert_eq!(be32(entry, 20), 24);
        let hba = transport_id::parse(&entry[24..]).unwrap();
        (entry[7], entry[12] == 1, entry[19], hba.0)
    };
    data[8..].chunks(48).map(entry).collect()
}

#[test]
fn the_holder_hands_its_reservation_over() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    good(&rig, A, RESERVE, EXCLUSIVE_ACCESS, 0xa, 0);
    assert_eq!(hand_over(&rig, A, &move_list(0xa, 0xb, 0, 1, 1)).status, Status::Good);
    assert_eq!(reservation(&rig), Some((0xb, EXCLUSIVE_ACCESS)));
    assert_eq!(full_status(&rig), [(0xa, false, 1, 0), (0xb, true, 1, 1)]);
    assert_eq!((writes(&rig, A), writes(&rig, A1)), (Status::ReservationConflict, Status::Good));
    assert_eq!(hand_over(&rig, A1, &move_list(0xb, 0xc, 2, 3, 0)).status, Status::Good);
    assert_eq!(full_status(&rig), [(0xa, false, 1, 0), (0xc, true, 3, 0)], "and left");
    assert_eq!(keys(&rig).0, 3);
}

#[test]
fn a_move_that_makes_no_sense_is_refused() {
    let rig = rig();
    good(&rig, A, REGISTER, 0, 0, 0xa);
    let conflict = Status::ReservationConflict;
    let good_list = move_list(0xa, 0xb, 0, 1, 1);
    assert_eq!(hand_over(&rig, A, &good_list).status, conflict, "there is nothing to move");
    good(&rig, A, RESERVE, WRITE_EXCLUSIVE_AR, 0xa, 0);
    assert_eq!(hand_over(&rig, A, &good_list).status, conflict, "it is everybody's");
    good(&rig, A, PREEMPT, WRITE_EXCLUSIVE, 0xa, 0);
    assert_eq!(hand_over(&rig, A1, &good_list).status, conflict, "it is not the holder");
    let mut iscsi = good_list.clone();
    iscsi[24] = 0x05;
    for (list, sense) in [
        (move_list(0xa, 0, 0, 1, 1), "05/26/00"),
        (move_list(0xa, 0xb, 0, 0, 1), "05/26/00"),
        (move_list(0xa, 0xb, 0, 5, 1), "05/26/00"),
        (move_list(0xa, 0xb, 0, 1, 0), "05/26/00"),
        (iscsi, "05/26/00"),
        (good_list[..47].to_vec(), "05/1a/00"),
        (good_list[..24].to_vec(), "05/1a/00"),
    ] {
        assert_eq!(hand_over(&rig, A, &list).sense.unwrap().to_string(), sense, "{list:02x?}");
    }
    assert_eq!(full_status(&rig), [(0xa, true, 1, 0)]);
}

#[test]
fn one_can_register_others_and_through_all_ports() {
    let rig = rig();
    let register = |list: &[u8]| {
        rig.send(A, LUN0, &persistent_out(REGISTER, 0, list.len()), list, 0).completion
    };
    assert_eq!(register(&list_for(0, 0xa, 0x04, &[1, 1, 0])).status, Status::Good);
    let both = |hba| (1..=4).map(move |port| (0xa, false, port, hba));
    assert_eq!(full_status(&rig), both(0).chain(both(1)).collect::<Vec<_>>());
    assert_eq!(keys(&rig).0, 1);
    let again = register(&list_for(0xa, 0xb, 0, &[2])).sense.unwrap().to_string();
    assert_eq!(again, "05/26/00", "for those who are registered it is no way to register others");
    let all = persistent_list(0xa, 0, 0x04);
    rig.put(A, LUN0, &persistent_out(REGISTER, 0, 24), &all);
    assert_eq!(full_status(&rig), both(1).collect::<Vec<_>>());
    let taken = register(&list_for(0, 0xa, 0, &[2, 1])).status;
    assert_eq!(taken, Status::ReservationConflict, "one of them is registered");
    assert_eq!(keys(&rig), (2, vec![0xa; 4]));
    assert_eq!(register(&list_for(0, 0xa, 0, &[])).status, Status::Good);
}

#[test]
fn registrations_are_bounded() {
    let rig = rig();
    let hbas: Vec<u8> = (1..32).collect();
    let list = list_for(0, 0xa, 0x04, &hbas);
    rig.put(A, LUN0, &[0x5f, 0, 0, 0, 0, 0, 0, 3, 4, 0], &list);
    assert_eq!(keys(&rig), (1, vec![0xa; 128]));
    let newcomer = nexus(40, ControllerId::A);
    assert_eq!(attentions(&rig, newcomer), ["06/29/00"]);
    let full = out(&rig, newcomer, REGISTER, 0, 0, 0xb).completion.sense.unwrap();
    assert_eq!(full.to_string(), "05/55/04");
    assert_eq!(keys(&rig), (1, vec![0xa; 128]));
    good(&rig, A, REGISTER, 0, 0xa, 0xc);
}
