//! Asymmetric logical unit access (SPC-4 5.15, `scsi_dh_alua`): target port groups have access states;
//! SET TARGET PORT GROUPS, or the array by itself, changes them.
//!
//! The group of the controller that owns a LUN is active/optimized for it; every other group is in
//! the state that the array's make gives it. A group can also have a state of its own, which a host
//! or a step gave it.

mod report;
mod set;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Effect, Gate, Personality, Site};
use crate::{
    access_state::AccessState,
    config::ArrayConfig,
    controller::{Controller, ControllerState},
    error::ConfigError,
    ids::{ControllerId, Nexus, PortId},
    operation::{Kind, Operation},
    sense::Sense,
    unit::Unit,
};

/// Target port group support: who changes access states. The number is the TPGS field of the standard
/// INQUIRY data (SPC-4 6.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tpgs {
    /// Nobody, and no handler is attached (alua:alua_check_tpgs).
    Never = 0,
    /// The array alone.
    Implicit = 1,
    /// Hosts alone.
    Explicit = 2,
    /// Both.
    Both = 3,
}

/// What forms a target port group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Groups {
    /// The ports of a controller.
    Controller,
    /// Each port for itself.
    Port,
}

/// Which groups are in transition while a LUN is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of the controller that it goes to.
    Target,
}

/// How a transition is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reporting {
    /// Commands are answered 02/04/0A; REPORT TARGET PORT GROUPS is answered.
    NotReady,
    /// So is REPORT TARGET PORT GROUPS.
    NotReadyAtAll,
    /// Commands are answered 06/04/0A, as some arrays do against the standard.
    UnitAttention,
}

/// The traits in which such arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AluaConfig {
    /// What the TPGS field says, and which of the port groups' commands are carried out.
    pub tpgs: Tpgs,
    /// The state of the groups of a controller that does not own a LUN.
    pub non_owner: AccessState,
    /// What forms a group.
    pub groups: Groups,
    /// Whether REPORT TARGET PORT GROUPS knows the extended header; otherwise it is refused with
    /// 05/24/00.
    pub extended_header: bool,
    /// The implicit transition time in the extended header, in seconds; 0 says nothing.
    pub transition_time: u8,
    /// How long a LUN is on its way from one controller to another.
    pub transition: Duration,
    /// Which groups are in transition meanwhile.
    pub scope: Scope,
    /// How they say so.
    pub reporting: Reporting,
    /// Whether the group that should be optimized says so with the PREF bit.
    pub preferred_bit: bool,
    /// Whether a LUN that the array itself sends to another controller stays where it is once the
    /// transition is over. Everybody is told by 06/2A/07.
    pub implicit_fails: bool,
    /// Bits 6 to 4 of each group's first byte in REPORT TARGET PORT GROUPS, which are reserved and
    /// should be 0.
    pub reserved_bits: u8,
    /// Whether VPD page 83h names the LUN, which Linux needs to tell the groups of one LUN from those
    /// of another (alua:alua_check_vpd).
    pub lun_designator: bool,
}

impl Default for AluaConfig {
    fn default() -> Self {
        AluaConfig {
            tpgs: Tpgs::Both,
            non_owner: AccessState::NonOptimized,
            groups: Groups::Controller,
            extended_header: true,
            transition_time: 0,
            transition: Duration::ZERO,
            scope: Scope::All,
            reporting: Reporting::NotReady,
            preferred_bit: true,
            implicit_fails: false,
            reserved_bits: 0,
            lun_designator: true,
        }
    }
}

/// The personality.
#[derive(Debug)]
pub(super) struct Alua {
    config: AluaConfig,
}

impl Alua {
    pub(super) fn new(config: AluaConfig) -> Self {
        Alua { config }
    }

    /// The group of a port.
    fn group_of(&self, controllers: &[Controller], port: PortId) -> u16 {
        match self.config.groups {
            Groups::Controller => port.controller.index() as u16 + 1,
            Groups::Port => port.relative(controllers),
        }
    }

    /// Every group with its controller and its ports, ascending; but for controllers that were taken
    /// out.
    fn groups(&self, controllers: &[Controller]) -> Vec<(u16, ControllerId, Vec<PortId>)> {
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

    /// The state of a group for a LUN.
    fn state(
        &self,
        site: &Site<'_>,
        unit: &Unit,
        group: u16,
        controller: ControllerId,
    ) -> AccessState {
        let in_transition = unit.moving.is_some_and(|(to, _)| match self.config.scope {
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
                None => self.config.non_owner,
            },
        }
    }

    /// The state in which a command finds the addressed LUN.
    fn own_state(&self, site: &Site<'_>) -> AccessState {
        let group = self.group_of(site.controllers, site.nexus.port);
        site.unit()
            .map_or(AccessState::Optimized, |unit| self.state(site, unit, group, site.controller()))
    }
}

impl Personality for Alua {
    fn name(&self) -> &'static str {
        "alua"
    }

    fn check(&self, _: &ArrayConfig) -> Result<(), ConfigError> {
        Ok(())
    }

    fn max_lun(&self) -> u16 {
        crate::LunConfig::MAX_LUN
    }

    /// That of the Linux-IO target, as no array of this make is sold.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0x14, 0x05]
    }

    fn supports(&self, op: &Operation) -> bool {
        match op.kind {
            Kind::ReportTargetPortGroups => self.config.tpgs != Tpgs::Never,
            Kind::SetTargetPortGroups => {
                matches!(self.config.tpgs, Tpgs::Explicit | Tpgs::Both)
            }
            _ => true,
        }
    }

    fn standard_inquiry(&self, _: &Site<'_>, data: &mut Vec<u8>) {
        data[5] |= (self.config.tpgs as u8) << 4;
    }

    fn names_luns(&self) -> bool {
        self.config.lun_designator
    }

    /// The target port group (SPC-4 7.8.6.8).
    fn designators(&self, site: &Site<'_>) -> Vec<u8> {
        if self.config.tpgs == Tpgs::Never {
            return Vec::new();
        }
        let group = self.group_of(site.controllers, site.nexus.port).to_be_bytes();
        // Binary, associated with the target port.
        vec![0x01, 0x15, 0x00, 0x04, 0x00, 0x00, group[0], group[1]]
    }

    fn port_groups(&self, controllers: &[Controller]) -> Vec<u16> {
        self.groups(controllers).into_iter().map(|(group, ..)| group).collect()
    }

    fn transition(&self) -> Duration {
        self.config.transition
    }

    fn owner_changed(&self) -> Option<Sense> {
        Some(Sense::ACCESS_STATE_CHANGED)
    }

    fn transition_failed(&self, by: Option<Nexus>) -> Option<Sense> {
        let fails = by.is_none() && self.config.implicit_fails;
        fails.then_some(Sense::IMPLICIT_TRANSITION_FAILED)
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let state = self.own_state(site);
        let told = op.kind == Kind::ReportTargetPortGroups
            && self.config.reporting != Reporting::NotReadyAtAll;
        if told || state.serves(op) {
            return None;
        }
        match (state, self.config.reporting) {
            (AccessState::Transitioning, Reporting::UnitAttention) => {
                Some(Sense::new(0x06, 0x04, 0x0a))
            }
            _ => state.not_ready(),
        }
    }

    /// What may not proceed was answered already.
    fn medium_access(&self, _: &Site<'_>) -> Gate {
        Gate::Open
    }

    fn report_port_groups(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
        report::report(self, site, cdb)
    }

    fn set_port_groups(&self, site: &Site<'_>, list: &[u8]) -> Result<Effect, Sense> {
        set::set(self, site, list)
    }
}
