//! EMC CLARiiON and VNX (`scsi_dh_emc`): two storage processors; MODE SELECT of page 22h, a
//! trespass, moves a LUN.
//!
//! Every LUN is visible through both storage processors. Both answer INQUIRY, VPD pages, READ
//! CAPACITY and the mode pages. The storage processor that does not own a LUN answers reads and
//! writes with 02/04/03. VPD page C0h reports the owner.

mod condition;
mod config;
mod inquiry;
#[cfg(test)]
mod tests;
mod trespass;

pub use self::{
    config::{EmcConfig, FailoverMode},
    inquiry::InquiryForm,
};

use super::unit_path_report;
use crate::{
    controller::{Controller, ControllerState},
    error::ConfigError,
    identity::Identity,
    ids::Controllers,
    inquiry_page::InquiryPage,
    operation::{Class, Kind, Operation},
    personality::{Effect, Gate, PageControl, PageError, Personality, Site},
    sense::Sense,
};

/// Manual intervention required: the sense of a passive path, and of a firmware upgrade in progress
/// (emc:clariion_check_sense, trespass_endio).
const PASSIVE: Sense = Sense::NOT_READY_MANUAL;

impl Personality for EmcConfig {
    fn name(&self) -> &'static str {
        "emc"
    }

    fn handler(&self) -> &'static str {
        "emc"
    }

    fn identity(&self) -> Identity {
        Identity::new("DGC", "RAID 5", "0326")
    }

    fn check(&self, _: Controllers, _: &[Controller]) -> Result<(), ConfigError> {
        self.inquiry.check()
    }

    fn max_lun(&self) -> u16 {
        255
    }

    /// The OUI that EMC used for the CLARiiON.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0x60, 0x16]
    }

    fn standard_inquiry(&self, site: &Site<'_>, data: &mut Vec<u8>) {
        data[2] = self.version;
        self.inquiry.put(&site.identity.serial, data);
    }

    fn vpd_pages(&self) -> &'static [u8] {
        &[unit_path_report::PAGE]
    }

    fn live_bits(&self, page: InquiryPage) -> Vec<(usize, u8)> {
        unit_path_report::live_bits(page)
    }

    fn vpd_page(&self, site: &Site<'_>, _: u8) -> Vec<u8> {
        unit_path_report::page(self.failover_mode as u8, site)
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let touches = op.class != Class::Parameter || op.kind == Kind::ModeSelect;
        let not_ready = matches!(
            self.failover_mode,
            FailoverMode::PassiveNotReady | FailoverMode::Linux | FailoverMode::Alua
        );
        match site.own_state() {
            _ if !touches => None,
            ControllerState::Booting | ControllerState::Quiescing => Some(Sense::BECOMING_READY),
            ControllerState::Upgrading => Some(PASSIVE),
            _ if op.kind == Kind::TestUnitReady && not_ready && !site.owned() => Some(PASSIVE),
            _ => None,
        }
    }

    fn medium_access(&self, site: &Site<'_>) -> Gate {
        if let Some(sense) = site.unit().and_then(|unit| unit.condition.on_medium_access()) {
            return Gate::Shut(sense);
        }
        match self.failover_mode {
            _ if site.owned() => Gate::Open,
            FailoverMode::AutoTrespass => Gate::TakeOver,
            _ => Gate::Shut(PASSIVE),
        }
    }

    fn mode_pages(&self) -> &'static [(u8, u8)] {
        &[(trespass::PAGE, 0)]
    }

    fn mode_page(&self, _: &Site<'_>, _: u8, _: u8, control: PageControl) -> Vec<u8> {
        trespass::page(control)
    }

    fn takes_length(&self, _: u8, len: usize) -> bool {
        trespass::LENGTHS.contains(&len)
    }

    /// A trespass states itself whether it honors reservations.
    fn judges_reservations(&self, op: &Operation) -> bool {
        op.kind == Kind::ModeSelect
    }

    fn mode_select(&self, site: &Site<'_>, page: &[u8]) -> Result<Effect, PageError> {
        if unit_path_report::upgrading(site) {
            return Err(PageError::Refused(PASSIVE));
        }
        trespass::trespass(site, page)
    }
}
