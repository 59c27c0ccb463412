//! SET TARGET PORT GROUPS (SPC-4 6.45). Linux names only one group, its own, and leaves the states
//! of the other groups to the array (alua:submit_stpg).

use super::config::AluaConfig;
use crate::{
    access_state::AccessState,
    encoding::be16,
    ids::ControllerId,
    personality::{Effect, Site},
    sense::Sense,
};

/// The reserved bytes before the descriptors; the length of a descriptor follows.
const HEADER: usize = 4;
const DESCRIPTOR: usize = 4;

/// Checks the whole parameter list before anything changes. The controller of the group that
/// becomes active/optimized takes over the LUN. Groups that the list does not name keep the states
/// that ownership implies.
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
            // A LUN has only one owner.
            if to.replace(controller).is_some_and(|other| other != controller) {
                return Err(Sense::parameter_field(at as u16));
            }
        }
        states.push((group, own(alua, site, controller, state)));
    }
    Ok(Effect::Groups(states, to))
}

/// The requested access state. Logical block dependent and transitioning cannot be set.
fn requested(byte: u8, at: usize) -> Result<AccessState, Sense> {
    AccessState::of(byte & 0x0f)
        .filter(|state| !matches!(state, AccessState::LbaDependent | AccessState::Transitioning))
        .ok_or(Sense::parameter_field(at as u16))
}

/// The explicit state of a group, or `None` if ownership implies the same state.
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
