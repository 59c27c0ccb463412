//! SET TARGET PORT GROUPS (SPC-4 6.45). Linux names one group, its own, and leaves it to the array what
//! becomes of the others (alua:submit_stpg).

use super::config::AluaConfig;
use crate::{
    access_state::AccessState,
    encoding::be16,
    ids::ControllerId,
    personality::{Effect, Site},
    sense::Sense,
};

/// Reserved bytes before the descriptors, and the length of one.
const HEADER: usize = 4;
const DESCRIPTOR: usize = 4;

/// Checks the parameter list, all of it before anything changes. The group that is to be optimized
/// takes the LUN; groups that are not named are as ownership makes them.
pub(super) fn set(alua: &AluaConfig, site: &Site<'_>, list: &[u8]) -> Result<Effect, Sense> {
    if list.is_empty() {
        return Ok(Effect::None);
    }
    if list.len() < HEADER || !(list.len() - HEADER).is_multiple_of(DESCRIPTOR) {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let known = alua.groups(site.controllers);
    let (mut states, mut to) = (Vec::new(), None);
    for at in (HEADER..list.len()).step_by(DESCRIPTOR) {
        let state = requested(list[at], at)?;
        let group = be16(list, at + 2);
        let controller = known.iter().find(|(id, ..)| *id == group).map(|(_, it, _)| *it);
        let controller = controller.ok_or(Sense::parameter_field(at as u16 + 2))?;
        if states.iter().any(|(named, _)| *named == group) {
            return Err(Sense::parameter_field(at as u16 + 2));
        }
        if state == AccessState::Optimized {
            // A LUN has one owner.
            if to.replace(controller).is_some_and(|other| other != controller) {
                return Err(Sense::parameter_field(at as u16));
            }
        }
        states.push((group, own(alua, site, controller, state)));
    }
    Ok(Effect::Groups(states, to))
}

/// The state that a descriptor asks for: neither LBA dependent nor transitioning can be.
fn requested(byte: u8, at: usize) -> Result<AccessState, Sense> {
    AccessState::of(byte & 0x0f)
        .filter(|state| !matches!(state, AccessState::LbaDependent | AccessState::Transitioning))
        .ok_or(Sense::parameter_field(at as u16))
}

/// The state as the group's own, unless ownership makes it so anyway.
fn own(
    alua: &AluaConfig,
    site: &Site<'_>,
    controller: ControllerId,
    state: AccessState,
) -> Option<AccessState> {
    let owned = site.unit().is_some_and(|unit| site.owner_of(unit) == controller);
    let natural = state == AccessState::Optimized || !owned && state == alua.non_owner;
    (!natural).then_some(state)
}
