//! Target port groups (SPC-4 5.15.2.2) and their states.

use super::config::{AluaConfig, Groups, Scope};
use crate::{
    access_state::AccessState,
    controller::{Controller, ControllerState},
    ids::{ControllerId, PortId},
    personality::Site,
    unit::Unit,
};

impl AluaConfig {
    /// The identifier of the target port group that contains a port.
    pub(super) fn group_of(&self, controllers: &[Controller], port: PortId) -> u16 {
        match self.groups {
            Groups::Controller => port.controller.index() as u16 + 1,
            Groups::Port => port.relative(controllers),
        }
    }

    /// The target port groups in ascending order, with their controllers and ports. Groups of
    /// removed controllers are omitted.
    pub(super) fn groups(
        &self,
        controllers: &[Controller],
    ) -> Vec<(u16, ControllerId, Vec<PortId>)> {
        let mut groups: Vec<(u16, ControllerId, Vec<PortId>)> = Vec::new();
        let there = |port: &PortId| controllers[port.controller.index()].present;
        for port in PortId::all(controllers).filter(there) {
            let id = self.group_of(controllers, port);
            match groups.last_mut().filter(|(last, ..)| *last == id) {
                Some((_, _, ports)) => ports.push(port),
                None => groups.push((id, port.controller, vec![port])),
            }
        }
        groups
    }

    /// The access state of a group for one LUN.
    pub(super) fn state(
        &self,
        site: &Site<'_>,
        unit: &Unit,
        group: u16,
        controller: ControllerId,
    ) -> AccessState {
        let in_transition = unit.moving.is_some_and(|(to, _)| match self.scope {
            Scope::All => true,
            Scope::Target => to == controller,
        });
        match site.state(controller) {
            _ if in_transition => AccessState::Transitioning,
            Some(ControllerState::Quiescing | ControllerState::Booting) => {
                AccessState::Transitioning
            }
            None
            | Some(
                ControllerState::Upgrading
                | ControllerState::Offline
                | ControllerState::Failed
                | ControllerState::Removed,
            ) => AccessState::Unavailable,
            Some(ControllerState::Online) => match unit.group_states.get(&group) {
                Some(state) => *state,
                None if site.owner_of(unit) == controller => AccessState::Optimized,
                None => self.non_owner,
            },
        }
    }

    /// The access state of the addressed LUN through the port that received the command.
    pub(super) fn own_state(&self, site: &Site<'_>) -> AccessState {
        let group = self.group_of(site.controllers, site.nexus.port);
        site.unit()
            .map_or(AccessState::Optimized, |unit| self.state(site, unit, group, site.controller()))
    }
}
