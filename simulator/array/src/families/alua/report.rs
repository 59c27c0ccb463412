//! REPORT TARGET PORT GROUPS (SPC-4 6.37).

use super::config::{AluaConfig, Tpgs};
use crate::{
    access_state::AccessState,
    ids::PortId,
    personality::Site,
    port_groups::{self, Header},
    sense::Sense,
    unit::Unit,
};

/// The PREF bit in the first byte of a descriptor.
const PREFERRED: u8 = 0x80;

/// The parameter data, beginning with the RETURN DATA LENGTH field.
pub(super) fn report(alua: &AluaConfig, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
    let header = match Header::requested(cdb) {
        Some(Header::Extended(_)) if alua.extended_header => Header::Extended(alua.transition_time),
        Some(Header::LengthOnly) => Header::LengthOnly,
        _ => return Err(Sense::cdb_field(1)),
    };
    let unit = site.unit().ok_or(Sense::LUN_NOT_SUPPORTED)?;
    let own = descriptors(alua, site, unit);
    let captured = site.captured_groups();
    Ok(header.before(captured.map_or(own.clone(), |captured| captured.instead_of(&own))))
}

/// The descriptors of the primary target port groups, and of the secondary one.
fn descriptors(alua: &AluaConfig, site: &Site<'_>, unit: &Unit) -> Vec<u8> {
    let groups = alua.groups(site);
    let states: Vec<_> = groups.iter().map(|group| alua.state(site, unit, group)).collect();
    let mut data = Vec::new();
    for (group, state) in groups.iter().zip(&states) {
        let preferred = alua.preferred_bit && group.has(unit.preferred);
        let first = if preferred { PREFERRED } else { 0 } | (alua.reserved_bits & 0x07) << 4;
        let status = match (state, alua.tpgs, unit.altered.get(&group.id)) {
            (AccessState::Transitioning, ..) | (_, Tpgs::Never, _) | (.., None) => 0,
            (.., Some(altered)) => *altered as u8,
        };
        let first = first | *state as u8;
        data.extend(descriptor(
            site,
            [first, supported(alua, &states), status],
            group.id,
            &group.ports,
        ));
    }
    // Ports that are offline are in a group of their own as well, whose state is a secondary one.
    let offline = unit.offline.iter().filter(|port| {
        site.controllers.get(port.controller.index()).is_some_and(|controller| controller.present)
    });
    let offline: Vec<PortId> = offline.copied().collect();
    if !offline.is_empty() {
        let taken = |id: &u16| groups.iter().any(|group| group.id == *id);
        let last = groups.last().map_or(0, |group| group.id);
        let id = (last..=u16::MAX).chain(0..last).find(|id| !taken(id)).unwrap_or(0);
        let state = AccessState::Offline as u8;
        data.extend(descriptor(site, [state, supported(alua, &states), 0], id, &offline));
    }
    data
}

/// A descriptor. `fields` are its first byte, the supported states and the status code.
fn descriptor(site: &Site<'_>, fields: [u8; 3], group: u16, ports: &[PortId]) -> Vec<u8> {
    let [first, supported, status] = fields;
    let [high, low] = group.to_be_bytes();
    let mut data = vec![first, supported, high, low, 0, status, 0, ports.len() as u8];
    debug_assert_eq!(data.len(), port_groups::DESCRIPTOR);
    for port in ports {
        let [high, low] = port.relative(site.controllers).to_be_bytes();
        data.extend([0, 0, high, low]);
    }
    data
}

/// The byte that lists the access states which a group of this array can report. A state that a group
/// is in is among them, unless the configuration names others.
fn supported(alua: &AluaConfig, now: &[AccessState]) -> u8 {
    let bits =
        |states: &[AccessState]| states.iter().fold(0, |bits, state| bits | state.supported_bit());
    if !alua.supports.is_empty() {
        return bits(&alua.supports);
    }
    let always = [
        AccessState::Optimized,
        AccessState::Unavailable,
        AccessState::Offline,
        AccessState::Transitioning,
        AccessState::Standby,
        alua.non_owner,
    ];
    // SET TARGET PORT GROUPS takes active/non-optimized.
    let settable = match alua.tpgs {
        Tpgs::Explicit | Tpgs::Both => AccessState::NonOptimized.supported_bit(),
        Tpgs::Never | Tpgs::Implicit => 0,
    };
    bits(&always) | settable | bits(now)
}
