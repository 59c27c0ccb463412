//! The vendor-specific VPD pages. Offsets in this file include the four-byte page header, like
//! those in the kernel's structures.

use super::config::RdacConfig;
use crate::{
    controller::ControllerState, encoding::put_text, hash::fnv1a, ids::ControllerId,
    inquiry_page::InquiryPage, personality::Site,
};

/// The firmware version and the supported features.
pub(super) const SOFTWARE_VERSION: u8 = 0xc2;
/// The array, and the controller within it.
pub(super) const SUBSYSTEM: u8 = 0xc4;
/// The volume and its array.
pub(super) const IDENTIFICATION: u8 = 0xc8;
/// The owner of the volume.
pub(super) const ACCESS_CONTROL: u8 = 0xc9;

/// The flags in byte 8 of page C9h.
mod flag {
    pub(super) const AVT: u8 = 0x80;
    pub(super) const IOSHIP: u8 = 0x20;
    pub(super) const ACCESS_STATES: u8 = 0x10;
    pub(super) const OWNED: u8 = 0x01;
}

/// A page under construction. Offsets include the page header.
struct Page(Vec<u8>);

impl Page {
    const HEADER: usize = 4;

    /// A page of `len` bytes, header included, that begins with a four-letter identifier.
    fn new(len: usize, identifier: &[u8; 4]) -> Page {
        let mut page = Page(vec![0; len - Self::HEADER]);
        page.set(4, identifier);
        page
    }

    fn at(&mut self, offset: usize, len: usize) -> &mut [u8] {
        &mut self.0[offset - Self::HEADER..][..len]
    }

    fn set(&mut self, offset: usize, bytes: &[u8]) {
        self.at(offset, bytes.len()).copy_from_slice(bytes);
    }

    /// Writes a length byte, followed by at most 30 characters in UTF-16BE.
    fn set_label(&mut self, offset: usize, label: &str) {
        let units = label.encode_utf16().take(30).flat_map(u16::to_be_bytes);
        let mut len = 0;
        for (to, from) in self.at(offset + 1, 60).iter_mut().zip(units) {
            *to = from;
            len += 1;
        }
        self.set(offset, &[len]);
    }
}

/// Page C2h (rdac:c2_inquiry), 255 bytes. Byte 15 determines which MODE SELECT Linux sends
/// (rdac:set_mode_select).
pub(super) fn software_version(config: &RdacConfig) -> Vec<u8> {
    let mut page = Page::new(255, b"swr4");
    page.set(8, &[0x07, 0x77, 0x20]); // Firmware version.
    page.set(11, &[0x01, 0x0a, 0x07]); // Firmware date.
    page.set(15, &[config.max_lun]);
    page.0
}

/// Page C4h (rdac:c4_inquiry), 32 bytes. Byte 29 identifies the controller: `1` or `2`.
pub(super) fn subsystem(site: &Site<'_>) -> Vec<u8> {
    let mut page = Page::new(32, b"subs");
    put_text(page.at(8, 16), &site.identity.serial);
    put_text(page.at(24, 4), &site.identity.revision);
    page.set(28, &[b'0', b'1' + site.slot(site.controller())]);
    page.0
}

/// Page C8h (rdac:c8_inquiry), 175 bytes. The length of the array's identifier must not exceed 16:
/// the kernel copies that many bytes to its stack without a check (rdac:get_lun_info).
pub(super) fn identification(site: &Site<'_>) -> Vec<u8> {
    let mut page = Page::new(175, b"edid");
    if let Some(unit) = site.unit() {
        page.set(11, &[unit.name.len() as u8]);
        page.set(12, &unit.name);
        page.set_label(28, &unit.label);
    }
    page.set(89, &[16]);
    page.set(90, &array_id(site));
    page.set_label(106, &site.identity.name);
    // The last byte is the index into the LUN table of page 2Ch (rdac:get_lun_info).
    page.set(173, &site.lun.0.to_be_bytes());
    page.0
}

/// The array's identifier: an NAA type 6 designator without the LUN part.
fn array_id(site: &Site<'_>) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&[0x60, 0x0a, 0x0b, 0x80]);
    id[4..12].copy_from_slice(&fnv1a(site.identity.serial.as_bytes()).to_be_bytes());
    id
}

/// Page C9h (rdac:c9_inquiry), 48 bytes. multipath-tools expects `vac1` and exactly this length.
pub(super) fn access_control(config: &RdacConfig, site: &Site<'_>) -> Vec<u8> {
    let mut page = Page::new(48, b"vac1");
    let set = |condition, flag| if condition { flag } else { 0 };
    let flags = set(config.avt, flag::AVT)
        | set(config.ioship, flag::IOSHIP)
        | set(config.access_states, flag::ACCESS_STATES)
        | set(site.owned(), flag::OWNED);
    // The preferred path, or a secondary path.
    let priority = if site.preferred() { 0x01 } else { 0x02 };
    page.set(8, &[flags, priority]);
    if config.access_states {
        page.set(10, &[access_state(config, site, Some(site.controller()))]);
        page.set(12, &[access_state(config, site, site.alternate())]);
    }
    page.0
}

/// See [`crate::personality::Personality::live_bits`].
pub(super) fn live_bits(config: &RdacConfig, page: InquiryPage) -> Vec<(usize, u8)> {
    let bytes = |bytes: std::ops::Range<usize>| bytes.map(|offset| (offset, 0xff)).collect();
    match page {
        InquiryPage::Vpd(SUBSYSTEM) => vec![(29, 0xff)],
        // The volume's name and its LUN number.
        InquiryPage::Vpd(IDENTIFICATION) => {
            let mut bits: Vec<_> = bytes(12..28);
            bits.extend([(173, 0xff), (174, 0xff)]);
            bits
        }
        InquiryPage::Vpd(ACCESS_CONTROL) => {
            let mut bits = vec![(8, flag::OWNED), (9, 0x0f)];
            if config.access_states {
                bits.extend([(8, flag::ACCESS_STATES), (10, 0xff), (12, 0xff)]);
            }
            bits
        }
        _ => Vec::new(),
    }
}

/// The asymmetric access state (SPC-4 6.37) of a controller's target port group for the volume. The
/// rdac checker considers a path down if the state is 3, or if it is Fh for only one of the
/// controllers.
fn access_state(config: &RdacConfig, site: &Site<'_>, controller: Option<ControllerId>) -> u8 {
    match (controller.and_then(|it| site.state(it)), site.unit()) {
        (Some(ControllerState::Online | ControllerState::Quiescing), Some(unit)) => {
            match (Some(site.owner_of(unit)) == controller, config.ioship) {
                (true, _) => 0x00,
                (false, true) => 0x01,
                (false, false) => 0x02,
            }
        }
        (Some(ControllerState::Booting | ControllerState::Upgrading), Some(_)) => 0x0f,
        _ => 0x03,
    }
}
