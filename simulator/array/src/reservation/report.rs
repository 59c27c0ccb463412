//! The parameter data of PERSISTENT RESERVE IN (SPC-4 6.15).

use super::{
    persistent::{Holder, Persistent},
    transport_id,
    types::ReservationType,
};
use crate::{completion::Stop, controller::Controller, encoding::be16, sense::Sense, wire::Wire};

/// The service action codes (SPC-4 6.15.1).
pub(crate) mod action {
    pub(crate) const READ_KEYS: u8 = 0;
    pub(crate) const READ_RESERVATION: u8 = 1;
    pub(crate) const REPORT_CAPABILITIES: u8 = 2;
    pub(crate) const READ_FULL_STATUS: u8 = 3;
}

/// Carries out PERSISTENT RESERVE IN.
pub(crate) fn persistent_reserve_in(
    controllers: &[Controller],
    persistent: &Persistent,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let data = match cdb[1] & 0x1f {
        action::READ_KEYS => with_header(persistent, &keys(persistent)),
        action::READ_RESERVATION => with_header(persistent, &reservation(persistent)),
        action::REPORT_CAPABILITIES => capabilities(persistent).to_vec(),
        action::READ_FULL_STATUS => with_header(persistent, &full_status(controllers, persistent)),
        _ => return Err(Sense::cdb_field(1).into()),
    };
    wire.send(&data, be16(cdb, 7).into())
}

/// Prepends PRGENERATION and the additional length.
fn with_header(persistent: &Persistent, data: &[u8]) -> Vec<u8> {
    let len = data.len() as u32;
    [&persistent.generation.to_be_bytes(), &len.to_be_bytes(), data].concat()
}

/// The key of every registration, with duplicates (SPC-4 6.15.2).
fn keys(persistent: &Persistent) -> Vec<u8> {
    persistent.keys.values().flat_map(|key| key.get().to_be_bytes()).collect()
}

/// The reservation, if there is one (SPC-4 6.15.3.2). Its key is zero if all registrants are
/// holders.
fn reservation(persistent: &Persistent) -> Vec<u8> {
    let Some(held) = persistent.held else { return Vec::new() };
    let key = match held.holder {
        Holder::Nexus(nexus) => persistent.keys.get(&nexus).map_or(0, |key| key.get()),
        Holder::Registrants => 0,
    };
    let mut data = vec![0; 16];
    data[..8].copy_from_slice(&key.to_be_bytes());
    data[13] = held.kind.code();
    data
}

/// REPORT CAPABILITIES: every capability is supported (SPC-4 6.15.4).
fn capabilities(persistent: &Persistent) -> [u8; 8] {
    /// Compatible reservation handling, SPEC_I_PT, ALL_TG_PT, APTPL.
    const CAPABLE: u8 = 0x10 | 0x08 | 0x04 | 0x01;
    /// The type mask is valid. TEST UNIT READY is allowed under every reservation, and commands
    /// that read parameters are allowed under Write Exclusive reservations (ALLOW COMMANDS 3).
    const TYPES_AND_COMMANDS: u8 = 0x80 | 3 << 4;
    let [low, high] = ReservationType::mask();
    let active = u8::from(persistent.outlives_power);
    [0, 8, CAPABLE, TYPES_AND_COMMANDS | active, low, high, 0, 0]
}

/// READ FULL STATUS: every registration with its nexus (SPC-4 6.15.5).
fn full_status(controllers: &[Controller], persistent: &Persistent) -> Vec<u8> {
    let mut data = Vec::new();
    for (nexus, key) in &persistent.keys {
        let mut entry = [0; 24];
        entry[..8].copy_from_slice(&key.get().to_be_bytes());
        if let Some(held) = persistent.held.filter(|_| persistent.holds(*nexus)) {
            (entry[12], entry[13]) = (0x01, held.kind.code());
        }
        entry[18..20].copy_from_slice(&nexus.port.relative(controllers).to_be_bytes());
        entry[23] = transport_id::LEN as u8;
        data.extend(entry);
        data.extend(transport_id::of(nexus.hba));
    }
    data
}
