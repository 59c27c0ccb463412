//! Tests of reservations.

mod abort;
mod conflict;
mod lists;
mod moved;
mod persistent;
mod power;
mod spc2;

use super::report::action::{READ_FULL_STATUS, READ_KEYS, READ_RESERVATION, REPORT_CAPABILITIES};
use super::request::action::*;
use crate::{
    ControllerId, HbaId, Nexus, Status,
    encoding::be32,
    testing::{
        A, B, LUN0, NO_LUN, Reply, Rig, TEST_UNIT_READY, at, nexus, persistent_in, persistent_list,
        persistent_out, read, write,
    },
};

const WRITE_EXCLUSIVE: u8 = 1;
const EXCLUSIVE_ACCESS: u8 = 3;
const WRITE_EXCLUSIVE_RO: u8 = 5;
const EXCLUSIVE_ACCESS_RO: u8 = 6;
const WRITE_EXCLUSIVE_AR: u8 = 7;

/// HBA 1 through the first port of controller A, which owns LUN 0.
const A1: Nexus = nexus(1, ControllerId::A);
/// HBA 2 through the same port.
const A2: Nexus = nexus(2, ControllerId::A);

/// An array with no pending unit attentions.
fn rig() -> Rig {
    let rig = Rig::ready();
    for nexus in [A1, A2] {
        assert_eq!(attentions(&rig, nexus), ["06/29/00"]);
    }
    rig
}

/// The pending unit attentions of a nexus.
fn attentions(rig: &Rig, nexus: Nexus) -> Vec<String> {
    let ask = || rig.send(nexus, LUN0, &TEST_UNIT_READY, &[], 0).completion.sense;
    std::iter::from_fn(ask).map(|sense| sense.to_string()).collect()
}

fn out(rig: &Rig, nexus: Nexus, action: u8, kind: u8, key: u64, new: u64) -> Reply {
    let list = persistent_list(key, new, 0);
    rig.send(nexus, LUN0, &persistent_out(action, kind, list.len()), &list, 0)
}

/// Sends a PERSISTENT RESERVE OUT and asserts GOOD status.
fn good(rig: &Rig, nexus: Nexus, action: u8, kind: u8, key: u64, new: u64) {
    let completion = out(rig, nexus, action, kind, key, new).completion;
    assert_eq!(completion.status, Status::Good, "{:?}", completion.sense);
}

/// Sends a PERSISTENT RESERVE OUT and asserts RESERVATION CONFLICT.
fn conflict(rig: &Rig, nexus: Nexus, action: u8, kind: u8, key: u64, new: u64) {
    let status = out(rig, nexus, action, kind, key, new).completion.status;
    assert_eq!(status, Status::ReservationConflict);
}

fn status(rig: &Rig, nexus: Nexus, cdb: &[u8], data_out: &[u8], room: usize) -> Status {
    rig.send(nexus, LUN0, cdb, data_out, room).completion.status
}

fn writes(rig: &Rig, nexus: Nexus) -> Status {
    status(rig, nexus, &write(0, 1), &[1; 512], 0)
}

fn reads(rig: &Rig, nexus: Nexus) -> Status {
    status(rig, nexus, &read(0, 1), &[], 512)
}

/// PRGENERATION, and the registered keys.
fn keys(rig: &Rig) -> (u32, Vec<u64>) {
    let data = rig.get(A, LUN0, &persistent_in(READ_KEYS), 8192);
    assert_eq!(be32(&data, 4) as usize, data.len() - 8);
    let keys = data[8..].chunks(8).map(|key| u64::from_be_bytes(key.try_into().unwrap()));
    (be32(&data, 0), keys.collect())
}

/// The key and the type of the reservation.
fn reservation(rig: &Rig) -> Option<(u64, u8)> {
    let data = rig.get(A, LUN0, &persistent_in(READ_RESERVATION), 8192);
    assert_eq!(be32(&data, 4) as usize, data.len() - 8);
    let key = u64::from_be_bytes(data.get(8..16)?.try_into().unwrap());
    Some((key, data[21]))
}
