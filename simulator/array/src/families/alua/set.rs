//! SET TARGET PORT GROUPS (SPC-4 6.45). Linux names only one group, its own, and leaves the states
//! of the other groups to the array (alua:submit_stpg). Offline is a secondary state, of ports: for it,
//! a descriptor names a port by its relative target port identifier.

use super::{config::AluaConfig, groups::Group};
use crate::{
    access_state::AccessState,
    encoding::be16,
    ids::{ControllerId, PortId},
    personality::{Effect, GroupChange, Site},
    sense::Sense,
    unit::Standing,
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
    let known = alua.groups(site);
    let mut change = GroupChange::default();
    for at in (HEADER..list.len()).step_by(DESCRIPTOR) {
        let state = requested(list[at], at)?;
        let number = be16(list, at + 2);
        let unknown = Sense::parameter_field(at as u16 + 2);
        if state == AccessState::Offline {
            let port = PortId::with_relative(number, site.presenters(), site.controllers)
                .ok_or(unknown)?;
            change.offline.push((port, true));
            continue;
        }
        let group = known.iter().find(|group| group.id == number).ok_or(unknown)?;
        if change.states.iter().any(|(named, _)| *named == group.id) {
            return Err(unknown);
        }
        if !can_change(site, group) {
            return Err(Sense::PORT_GROUPS_NOT_SET);
        }
        if state == AccessState::Optimized {
            // A LUN has only one owner.
            let to = taker(site, group);
            if change.to.replace(to).is_some_and(|other| other != to) {
                return Err(Sense::parameter_field(at as u16));
            }
        }
        change.states.push((group.id, own(alua, site, group, state)));
    }
    Ok(Effect::Groups(change))
}

/// Whether the state of a group can be set: not if its array has been suspended, or if it is the other
/// array's, which cannot be told.
fn can_change(site: &Site<'_>, group: &Group) -> bool {
    let Some(unit) = site.unit() else { return false };
    let at = group.ports[0].controller;
    let reached = unit.stretch.as_ref().is_none_or(|stretch| stretch.connected());
    let near = site.are_mates(site.controller(), at);
    (near || reached) && matches!(unit.standing(at), Standing::Leading | Standing::Following)
}

/// The controller that serves the LUN if a group becomes active/optimized: the owner if it is in the
/// group, or else the one that received the command, or else the first.
fn taker(site: &Site<'_>, group: &Group) -> ControllerId {
    let owner = site.unit().map(|unit| site.owner_of(unit));
    let wanted = owner.into_iter().chain([site.controller()]);
    let first = group.ports[0].controller;
    wanted.into_iter().find(|controller| group.has(*controller)).unwrap_or(first)
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
    group: &Group,
    state: AccessState,
) -> Option<AccessState> {
    let owned = site.unit().is_some_and(|unit| group.has(site.owner_of(unit)));
    let standing = site.unit().map(|unit| unit.standing(group.ports[0].controller));
    let other = match standing {
        Some(Standing::Following) => site.presentation.following,
        _ => alua.non_owner,
    };
    let natural = state == AccessState::Optimized || !owned && state == other;
    (!natural).then_some(state)
}
