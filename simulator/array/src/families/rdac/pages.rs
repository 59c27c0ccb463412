//! The vendor's VPD pages. Offsets in this file are those of the page with its four-byte header, as
//! the kernel's structures have them.

use super::config::RdacConfig;
use crate::{
    controller::ControllerState, encoding::put_text, hash::fnv1a, ids::ControllerId,
    inquiry_page::InquiryPage, personality::Site,
};

/// What controllers run and support.
pub(super) const SOFTWARE_VERSION: u8 = 0xc2;
/// Which array and which of its controllers.
pub(super) const SUBSYSTEM: u8 = 0xc4;
/// Which volume of which array.
pub(super) const IDENTIFICATION: u8 = 0xc8;
/// Who owns the volume.
pub(super) const ACCESS_CONTROL: u8 = 0xc9;

/// The flags of page C9h, byte 8.
mod flag {
    pub(super) const AVT: u8 = 0x80;
    pub(super) const IOSHIP: u8 = 0x20;
    pub(super) const ACCESS_STATES: u8 = 0x10;
    pub(super) const OWNED: u8 = 0x01;
}

/// A page under construction, addressed by the offsets of the whole page.
struct Page(Vec<u8>);

impl Page {
    const HEADER: usize = 4;

    /// A page of this length, header included, that begins with four letters.
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

    /// A length byte and after it text of at most 30 characters in UTF-16BE.
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

/// C2 (rdac:c2_inquiry): 255 bytes. Byte 15 chooses the form of MODE SELECT (rdac:set_mode_select).
pub(super) fn software_version(config: &RdacConfig) -> Vec<u8> {
    let mut page = Page::new(255, b"swr4");
    page.set(8, &[0x07, 0x77, 0x20]); // Version.
    page.set(11, &[0x01, 0x0a, 0x07]); // Date.
    page.set(15, &[config.max_lun]);
    page.0
}

/// C4 (rdac:c4_inquiry): 32 bytes. Byte 29 is what tells the controllers apart: `1` or `2`.
pub(super) fn subsystem(site: &Site<'_>) -> Vec<u8> {
    let mut page = Page::new(32, b"subs");
    put_text(page.at(8, 16), &site.identity.serial);
    put_text(page.at(24, 4), &site.identity.revision);
    page.set(28, &[b'0', if site.controller() == ControllerId::A { b'1' } else { b'2' }]);
    page.0
}

/// C8 (rdac:c8_inquiry): 175 bytes. The length of the array's identifier must not be above 16: the
/// kernel copies that many bytes to its stack unchecked (rdac:get_lun_info).
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
    // The rightmost byte is the index into the LUN table of page 2Ch (rdac:get_lun_info).
    page.set(173, &site.lun.0.to_be_bytes());
    page.0
}

/// The array's identifier: an NAA identifier of type 6 without a LUN.
fn array_id(site: &Site<'_>) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&[0x60, 0x0a, 0x0b, 0x80]);
    id[4..12].copy_from_slice(&fnv1a(site.identity.serial.as_bytes()).to_be_bytes());
    id
}

/// C9 (rdac:c9_inquiry): 48 bytes. multipath-tools wants to see `vac1` and this very length.
pub(super) fn access_control(config: &RdacConfig, site: &Site<'_>) -> Vec<u8> {
    let mut page = Page::new(48, b"vac1");
    let set = |condition, flag| if condition { flag } else { 0 };
    let flags = set(config.avt, flag::AVT)
        | set(config.ioship, flag::IOSHIP)
        | set(config.access_states, flag::ACCESS_STATES)
        | set(site.owned(), flag::OWNED);
    // Preferred or secondary path.
    let priority = if site.preferred() { 0x01 } else { 0x02 };
    page.set(8, &[flags, priority]);
    if config.access_states {
        page.set(10, &[access_state(config, site, site.controller())]);
        page.set(12, &[access_state(config, site, alternate(site.controller()))]);
    }
    page.0
}

/// See [`crate::personality::Personality::live_bits`].
pub(super) fn live_bits(config: &RdacConfig, page: InquiryPage) -> Vec<(usize, u8)> {
    let bytes = |bytes: std::ops::Range<usize>| bytes.map(|offset| (offset, 0xff)).collect();
    match page {
        InquiryPage::Vpd(SUBSYSTEM) => vec![(29, 0xff)],
        // The volume's name, and its number.
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

/// The other one of two.
pub(super) fn alternate(controller: ControllerId) -> ControllerId {
    if controller == ControllerId::A { ControllerId::B } else { ControllerId::A }
}

/// A target port group's asymmetric access state (SPC-4 6.37) for the volume: the rdac checker takes
/// 3 for a path that is down, and Fh too unless both controllers say so.
fn access_state(config: &RdacConfig, site: &Site<'_>, controller: ControllerId) -> u8 {
    match (site.state(controller), site.unit()) {
        (Some(ControllerState::Online | ControllerState::Quiescing), Some(unit)) => {
            match (site.owner_of(unit) == controller, config.ioship) {
                (true, _) => 0x00,
                (false, true) => 0x01,
                (false, false) => 0x02,
            }
        }
        (Some(ControllerState::Booting | ControllerState::Upgrading), Some(_)) => 0x0f,
        _ => 0x03,
    }
}
