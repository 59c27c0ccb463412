//! LSI/Engenio RDAC (`scsi_dh_rdac`): two controllers; MODE SELECT of page 2Ch moves LUNs.
//!
//! Every LUN is visible through both controllers at all times. Both answer INQUIRY, VPD pages, READ
//! CAPACITY and TEST UNIT READY. Only the owner serves reads and writes; the other controller
//! answers them with 05/94/01 (rdac:rdac_check_sense).

mod config;
mod mode_select;
mod pages;
#[cfg(test)]
mod tests;

pub use self::config::{Quiescence, RdacConfig};
use crate::{
    controller::ControllerState,
    identity::Identity,
    inquiry_page::InquiryPage,
    operation::{Class, Kind, Operation},
    personality::{Effect, Gate, PageControl, PageError, Personality, Site},
    sense::Sense,
};

/// The sense of a controller that is not the current owner of the volume.
const NOT_OWNER: Sense = Sense::new(0x05, 0x94, 0x01);
/// Firmware incompatible: the sense of a controller whose firmware differs from that of its peer.
const FIRMWARE_INCOMPATIBLE: Sense = Sense::new(0x02, 0x04, 0x81);

impl Identity {
    /// An identity that is both in the kernel's device handler list and in the hardware table of
    /// multipath-tools.
    pub fn for_rdac() -> Self {
        Identity::new("IBM", "1814      FAStT", "0916")
    }
}

impl Personality for RdacConfig {
    fn name(&self) -> &'static str {
        "rdac"
    }

    fn handler(&self) -> &'static str {
        "rdac"
    }

    fn identity(&self) -> Identity {
        Identity::for_rdac()
    }

    /// A controller knows only one alternate controller. Linux distinguishes two
    /// (rdac:initialize_controller).
    fn max_lun(&self) -> u16 {
        self.max_lun.into()
    }

    fn others_serve(&self) -> bool {
        self.ioship
    }

    /// The OUI of LSI.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0xa0, 0xb8]
    }

    fn vpd_pages(&self) -> &'static [u8] {
        &[pages::SOFTWARE_VERSION, pages::SUBSYSTEM, pages::IDENTIFICATION, pages::ACCESS_CONTROL]
    }

    /// For an unmapped LUN, the rdac checker requests page C9h and reads from byte 0 that the LUN
    /// is gone.
    fn vpd_pages_unmapped(&self) -> &'static [u8] {
        &[pages::ACCESS_CONTROL]
    }

    fn live_bits(&self, page: InquiryPage) -> Vec<(usize, u8)> {
        pages::live_bits(self, page)
    }

    fn vpd_page(&self, site: &Site<'_>, page: u8) -> Vec<u8> {
        match page {
            pages::SOFTWARE_VERSION => pages::software_version(self),
            pages::SUBSYSTEM => pages::subsystem(site),
            pages::IDENTIFICATION => pages::identification(site),
            _ => pages::access_control(self, site),
        }
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let always = matches!(op.kind, Kind::Inquiry | Kind::ReportLuns);
        let touches = op.class != Class::Parameter || op.kind == Kind::ModeSelect;
        match site.own_state() {
            _ if always => None,
            ControllerState::Quiescing if touches => Some(self.quiescence.sense()),
            ControllerState::Booting => Some(Sense::BECOMING_READY),
            ControllerState::Upgrading => Some(FIRMWARE_INCOMPATIBLE),
            _ => None,
        }
    }

    fn medium_access(&self, site: &Site<'_>) -> Gate {
        if site.owned() || self.ioship {
            Gate::Open
        } else if self.avt {
            Gate::TakeOver
        } else {
            Gate::Shut(NOT_OWNER)
        }
    }

    fn mode_pages(&self) -> &'static [(u8, u8)] {
        &[
            (mode_select::REDUNDANT_CONTROLLER, 0),
            (mode_select::REDUNDANT_CONTROLLER, mode_select::EXPANDED),
        ]
    }

    fn mode_page(&self, site: &Site<'_>, _: u8, subpage: u8, control: PageControl) -> Vec<u8> {
        mode_select::page(site, subpage, control)
    }

    fn mode_select(&self, site: &Site<'_>, page: &[u8]) -> Result<Effect, PageError> {
        mode_select::transfer(site, page).map_err(PageError::Field)
    }
}
