//! Asymmetric logical unit access (SPC-4 5.15, `scsi_dh_alua`): each target port group has an
//! access state for each LUN. SET TARGET PORT GROUPS changes the states, or the array changes them
//! on its own.
//!
//! The target port group of the LUN's owner is active/optimized. Every other group has the state
//! that the configuration specifies ([`AluaConfig::non_owner`]). A host or a step can also set the
//! state of a group explicitly.

mod config;
mod groups;
mod report;
mod set;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::config::{AluaConfig, Groups, Reporting, Scope, Tpgs};
use self::groups::Group;
use super::unit_path_report;
use crate::{
    access_state::{AccessState, PortGroupView},
    controller::Controller,
    error::ConfigError,
    identity::Identity,
    ids::{ControllerId, Controllers, Nexus, PortId},
    inquiry_page::InquiryPage,
    lun_config::LunConfig,
    operation::{Kind, Operation},
    personality::{Effect, Gate, Personality, Site},
    sense::Sense,
    unit::Unit,
};

/// The failover mode of arrays with ALUA in the unit path report.
const ALUA_FAILOVER_MODE: u8 = 6;

impl Personality for AluaConfig {
    fn name(&self) -> &'static str {
        "alua"
    }

    fn handler(&self) -> &'static str {
        if self.tpgs == Tpgs::Never { "none" } else { "alua" }
    }

    fn identity(&self) -> Identity {
        Identity::new("SANSIM", "ALUA", "0001")
    }

    fn most_controllers(&self) -> u8 {
        ControllerId::MAX as u8
    }

    fn max_lun(&self) -> u16 {
        LunConfig::MAX_LUN
    }

    fn others_serve(&self) -> bool {
        self.non_owner.serves_media()
    }

    /// The OUI of the Linux-IO target, because no vendor sells this array.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0x14, 0x05]
    }

    fn supports(&self, op: &Operation) -> bool {
        match op.kind {
            Kind::ReportTargetPortGroups => self.tpgs != Tpgs::Never,
            Kind::SetTargetPortGroups => {
                matches!(self.tpgs, Tpgs::Explicit | Tpgs::Both)
            }
            _ => true,
        }
    }

    fn standard_inquiry(&self, _: &Site<'_>, data: &mut Vec<u8>) {
        data[5] |= (self.tpgs as u8) << 4;
    }

    fn names_luns(&self) -> bool {
        self.lun_designator
    }

    /// Adds the target port group designator (SPC-4 7.8.6.8).
    fn designators(&self, site: &Site<'_>) -> Vec<u8> {
        if self.tpgs == Tpgs::Never {
            return Vec::new();
        }
        let group = self.group_of(site.controllers, site.nexus.port).to_be_bytes();
        // Code set: binary. Association: target port.
        vec![0x01, 0x15, 0x00, 0x04, 0x00, 0x00, group[0], group[1]]
    }

    fn check(&self, own: Controllers, all: &[Controller]) -> Result<(), ConfigError> {
        self.check_groups(own, all)
    }

    fn port_group(&self, controllers: &[Controller], port: PortId) -> Option<u16> {
        (self.tpgs != Tpgs::Never).then(|| self.group_of(controllers, port))
    }

    fn vpd_pages(&self) -> &'static [u8] {
        if self.unit_path_report { &[unit_path_report::PAGE] } else { &[] }
    }

    fn vpd_page(&self, site: &Site<'_>, _: u8) -> Vec<u8> {
        unit_path_report::page(ALUA_FAILOVER_MODE, site)
    }

    /// In the standard INQUIRY data, the TPGS field: it says which commands the array supports.
    fn live_bits(&self, page: InquiryPage) -> Vec<(usize, u8)> {
        match page {
            InquiryPage::Standard => vec![(5, 0x30)],
            InquiryPage::Vpd(_) => unit_path_report::live_bits(page),
        }
    }

    fn transition(&self) -> Duration {
        self.transition
    }

    fn owner_changed(&self) -> Option<Sense> {
        Some(Sense::ACCESS_STATE_CHANGED)
    }

    fn transition_failed(&self, by: Option<Nexus>) -> Option<Sense> {
        let fails = by.is_none() && self.implicit_fails;
        fails.then_some(Sense::IMPLICIT_TRANSITION_FAILED)
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let state = self.own_state(site);
        let told =
            op.kind == Kind::ReportTargetPortGroups && self.reporting != Reporting::NotReadyAtAll;
        if told || state.serves(op) {
            return None;
        }
        match (state, self.reporting) {
            (AccessState::Transitioning, Reporting::UnitAttention) => {
                Some(Sense::new(0x06, 0x04, 0x0a))
            }
            _ => state.not_ready(),
        }
    }

    /// [`Personality::not_ready`] has refused accesses that may not proceed.
    fn medium_access(&self, _: &Site<'_>) -> Gate {
        Gate::Open
    }

    fn group_state(&self, site: &Site<'_>, unit: &Unit, ports: &[PortId]) -> AccessState {
        let id = self.group_of(site.controllers, ports[0]);
        self.near_state(site, unit, &Group { id, ports: ports.to_vec() })
    }

    fn group_views(&self, site: &Site<'_>, unit: &Unit) -> Vec<PortGroupView> {
        let view = |group: Group| {
            let site = site.seen_by(group.ports[0].controller);
            let state = site.personality.group_state(&site, unit, &group.ports);
            PortGroupView { group: group.id, ports: group.ports, state }
        };
        self.groups(site).into_iter().map(view).collect()
    }

    fn report_port_groups(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Vec<u8>, Sense> {
        report::report(self, site, cdb)
    }

    fn set_port_groups(&self, site: &Site<'_>, list: &[u8]) -> Result<Effect, Sense> {
        set::set(self, site, list)
    }
}
