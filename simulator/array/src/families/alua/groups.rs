//! Target port groups (SPC-4 5.15.2.2) and their states.

use std::collections::BTreeSet;

use super::config::{AluaConfig, Groups, Scope};
use crate::{
    access_state::{AccessState, FarGroups},
    controller::{Controller, ControllerState},
    error::ConfigError,
    ids::{ControllerId, Controllers, PortId},
    personality::Site,
    unit::{Standing, Unit},
};

/// A primary target port group.
pub(super) struct Group {
    pub(super) id: u16,
    /// At least one.
    pub(super) ports: Vec<PortId>,
}

impl Group {
    /// The controllers that have a port in the group.
    pub(super) fn controllers(&self) -> impl Iterator<Item = ControllerId> {
        let mut controllers: Vec<_> = self.ports.iter().map(|port| port.controller).collect();
        controllers.dedup();
        controllers.into_iter()
    }

    pub(super) fn has(&self, controller: ControllerId) -> bool {
        self.ports.iter().any(|port| port.controller == controller)
    }
}

impl AluaConfig {
    /// Refuses listed groups that do not contain each port exactly once, or share an identifier.
    pub(super) fn check_groups(
        &self,
        own: Controllers,
        all: &[Controller],
    ) -> Result<(), ConfigError> {
        let Groups::Listed(listed) = &self.groups else { return Ok(()) };
        let mut ids = BTreeSet::new();
        if let Some((id, _)) = listed.iter().find(|(id, _)| !ids.insert(*id)) {
            return Err(ConfigError::DuplicateGroup(*id));
        }
        let known: Vec<PortId> = PortId::of(own, all).collect();
        let named = || listed.iter().flat_map(|(_, ports)| ports);
        if let Some(port) = named().find(|port| !known.contains(port)) {
            return Err(ConfigError::UnknownPort(*port));
        }
        let groups = |port: &PortId| named().filter(|named| *named == port).count();
        match known.iter().find(|port| groups(port) != 1) {
            Some(port) => Err(ConfigError::PortGroups { port: *port, groups: groups(port) }),
            None => Ok(()),
        }
    }

    /// The identifier of the target port group that contains a port.
    pub(super) fn group_of(&self, controllers: &[Controller], port: PortId) -> u16 {
        match &self.groups {
            Groups::Controller => {
                let own = controllers.get(port.controller.index());
                self.first_group.wrapping_add(own.map_or(0, |own| own.slot.into()))
            }
            Groups::Port => self.first_group.wrapping_add(port.position(controllers)),
            Groups::Listed(listed) => {
                let own = listed.iter().find(|(_, ports)| ports.contains(&port));
                own.map_or(self.first_group, |(id, _)| *id)
            }
        }
    }

    /// The target port groups of the addressed LUN in ascending order. Ports of removed controllers are
    /// omitted.
    pub(super) fn groups(&self, site: &Site<'_>) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let stretch = site.unit().and_then(|unit| unit.stretch.as_ref());
        let far = match site.presentation.far_groups {
            FarGroups::Never => false,
            FarGroups::Connected => stretch.is_none_or(|stretch| stretch.connected()),
            FarGroups::Always => true,
        };
        let there = |port: &PortId| {
            (far || site.are_mates(site.controller(), port.controller))
                && site.controllers[port.controller.index()].present
        };
        for port in site.ports().filter(there) {
            // The other array of a stretched volume numbers its groups itself.
            let family = &site.frame_of(port.controller).personality;
            let Some(id) = family.port_group(site.controllers, port) else { continue };
            match groups.iter_mut().find(|group| group.id == id) {
                Some(group) => group.ports.push(port),
                None => groups.push(Group { id, ports: vec![port] }),
            }
        }
        groups.sort_by_key(|group| group.id);
        groups
    }

    /// The access state of a group for one LUN, as the array of `site` sees it.
    pub(super) fn state(&self, site: &Site<'_>, unit: &Unit, group: &Group) -> AccessState {
        let at = group.ports[0].controller;
        if site.are_mates(site.controller(), at) {
            return self.near_state(site, unit, group);
        }
        // Of the other array of a stretched volume it knows only what it is told.
        if unit.stretch.as_ref().is_none_or(|stretch| !stretch.connected()) {
            return match unit.standing(site.controller()) {
                Standing::Undecided => AccessState::Transitioning,
                _ => AccessState::Unavailable,
            };
        }
        let far = site.seen_by(at);
        far.personality.group_state(&far, unit, &group.ports)
    }

    /// The access state of a group of the array of `site`.
    pub(super) fn near_state(&self, site: &Site<'_>, unit: &Unit, group: &Group) -> AccessState {
        if self.in_transition(unit, |to| group.has(to)) {
            return AccessState::Transitioning;
        }
        let states: Vec<_> =
            group.controllers().filter_map(|it| Some((it, site.state(it)?))).collect();
        let is = |wanted: &[ControllerState]| states.iter().any(|(_, it)| wanted.contains(it));
        if is(&[ControllerState::Online]) {
            let owner = site.owner_of(unit);
            let serves = |(it, state): &(ControllerId, ControllerState)| {
                *it == owner && *state == ControllerState::Online
            };
            return match (unit.standing(site.controller()), unit.group_states.get(&group.id)) {
                (Standing::Undecided, _) => AccessState::Transitioning,
                (Standing::Suspended, _) => site.presentation.suspended,
                (_, Some(state)) => *state,
                (Standing::Following, None) => site.presentation.following,
                (Standing::Leading, None) if states.iter().any(serves) => AccessState::Optimized,
                (Standing::Leading, None) => self.non_owner,
            };
        }
        match is(&[ControllerState::Quiescing, ControllerState::Booting]) {
            true => AccessState::Transitioning,
            false => AccessState::Unavailable,
        }
    }

    /// The access state of the addressed LUN through the port that received the command.
    pub(super) fn own_state(&self, site: &Site<'_>) -> AccessState {
        let Some(unit) = site.unit() else { return AccessState::Optimized };
        if unit.offline.contains(&site.nexus.port) {
            return AccessState::Offline;
        }
        let own = |ports| Group { id: self.group_of(site.controllers, site.nexus.port), ports };
        if site.own_state() != ControllerState::Online {
            return self.state(site, unit, &own(vec![site.nexus.port]));
        }
        let frame = site.frame_of(site.controller());
        let mates = PortId::of(frame.controllers, site.controllers).filter(|port| {
            let id = self.group_of(site.controllers, *port);
            id == self.group_of(site.controllers, site.nexus.port)
        });
        self.state(site, unit, &own(mates.collect()))
    }

    fn in_transition(&self, unit: &Unit, has: impl Fn(ControllerId) -> bool) -> bool {
        unit.moving.is_some_and(|(to, _)| match self.scope {
            Scope::All => true,
            Scope::Target => has(to),
        })
    }
}
