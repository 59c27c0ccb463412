//! REPORT TARGET PORT GROUPS (SPC-4 6.37).

use super::config::{AluaConfig, Tpgs};
use crate::{access_state::AccessState, personality::Site, sense::Sense};

/// The PREF bit of a descriptor's first byte.
const PREFERRED: u8 = 0x80;
/// PARAMETER DATA FORMAT of the CDB: the length alone, or the extended header.
const LENGTH_ONLY: u8 = 0;
const EXTENDED: u8 = 1;

/// The parameter data, from its length on.
pub(super) fn report(alua: &AluaConfig, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
    let mut data = match cdb[1] >> 5 {
        LENGTH_ONLY => vec![0; 4],
        EXTENDED if alua.extended_header => {
            vec![0, 0, 0, 0, EXTENDED << 4, alua.transition_time, 0, 0]
        }
        _ => return Err(Sense::cdb_field(1)),
    };
    let Some(unit) = site.unit() else { return Err(Sense::LUN_NOT_SUPPORTED) };
    for (group, controller, ports) in alua.groups(site.controllers) {
        let state = alua.state(site, unit, group, controller);
        let preferred = alua.preferred_bit && unit.preferred == controller;
        let [high, low] = group.to_be_bytes();
        data.extend([
            if preferred { PREFERRED } else { 0 } | (alua.reserved_bits & 0x07) << 4 | state as u8,
            supported(alua),
            high,
            low,
            0,
            status(alua, state),
            0,
            ports.len() as u8,
        ]);
        for port in ports {
            let [high, low] = port.relative(site.controllers).to_be_bytes();
            data.extend([0, 0, high, low]);
        }
    }
    let len = (data.len() - 4) as u32;
    data[..4].copy_from_slice(&len.to_be_bytes());
    Ok(data)
}

/// Every state that a group of such an array can be in, or those that the configuration names.
fn supported(alua: &AluaConfig) -> u8 {
    let possible = [
        AccessState::Optimized,
        AccessState::Unavailable,
        AccessState::Offline,
        AccessState::Transitioning,
        AccessState::Standby,
        alua.non_owner,
    ];
    let states = if alua.supports.is_empty() { &possible[..] } else { &alua.supports };
    states.iter().fold(0, |bits, state| bits | state.supported_bit())
}

/// The status code: how the state came about. That of a transition is not told.
fn status(alua: &AluaConfig, state: AccessState) -> u8 {
    match alua.tpgs {
        _ if state == AccessState::Transitioning => 0,
        Tpgs::Never => 0,
        Tpgs::Explicit | Tpgs::Both => 1,
        Tpgs::Implicit => 2,
    }
}
