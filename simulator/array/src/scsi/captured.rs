//! INQUIRY data and VPD pages captured from a real array.

use super::designators;
use crate::{
    inquiry_page::{CapturedPage, InquiryPage},
    personality::Site,
};

/// The captured page that replaces the personality's page `native`, if there is one. If several
/// entries apply, the first is used.
pub(super) fn instead(
    site: &Site<'_>,
    page: InquiryPage,
    native: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let captured = site.captured.iter().find(|captured| is_told(captured, site, page))?;
    let mut bytes = captured.bytes.clone();
    if !captured.frozen {
        for (offset, mask) in site.personality.live_bits(page) {
            let live = native.and_then(|native| native.get(offset));
            if let (Some(byte), Some(live)) = (bytes.get_mut(offset), live) {
                *byte = *byte & !mask | live & mask;
            }
        }
        if let (InquiryPage::IDENTIFICATION, Some(native)) = (page, native) {
            designators::keep_port_current(&mut bytes, native);
        }
    }
    Some(bytes)
}

/// The page codes of captured VPD pages that apply to the command.
pub(super) fn codes<'a>(site: &'a Site<'_>) -> impl Iterator<Item = u8> + 'a {
    site.captured.iter().filter_map(|captured| match captured.page {
        InquiryPage::Vpd(code) => is_told(captured, site, captured.page).then_some(code),
        InquiryPage::Standard => None,
    })
}

impl CapturedPage {
    /// The relative target port identifier and the target port group that the page says of the port that
    /// returns it, if it is page 83h and says so.
    pub fn port_numbers(&self) -> (Option<u16>, Option<u16>) {
        match self.page {
            InquiryPage::IDENTIFICATION => designators::port(&self.bytes),
            _ => (None, None),
        }
    }
}

fn is_told(captured: &CapturedPage, site: &Site<'_>, page: InquiryPage) -> bool {
    captured.page == page
        && captured.to.matches(site.nexus)
        && site.unit().is_some_and(|unit| {
            captured.lun.is_none_or(|lun| lun == unit.lun)
                && !(unit.renamed && captured.page.identifies())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ControllerId, FrameConfig, NexusPattern, Ports, testing::*};

    fn rig(captured: Vec<CapturedPage>) -> Rig {
        Rig::new(with(FrameConfig { captured, ..frame() })).settled()
    }

    fn page(code: u8, payload: &[u8]) -> CapturedPage {
        let bytes = [&[0, code, 0, payload.len() as u8], payload].concat();
        let page = InquiryPage::Vpd(code);
        CapturedPage { page, to: NexusPattern::ALL, lun: None, bytes, frozen: false }
    }

    const ALL: [u8; 6] = [0x12, 1, 0, 1, 0, 0];

    fn vpd(code: u8) -> [u8; 6] {
        let mut cdb = ALL;
        cdb[2] = code;
        cdb
    }

    #[test]
    fn a_page_is_told_as_it_was_captured_but_for_who_owns_the_lun() {
        let mut captured = page(0xc9, &[0xff; 44]);
        captured.bytes[8] = 0x80;
        let rig = rig(vec![captured]);
        let (owner, other) = (rig.get(A, LUN0, &vpd(0xc9), 256), rig.get(B, LUN0, &vpd(0xc9), 256));
        assert_eq!((owner[8] & 0x81, other[8] & 0x81), (0x81, 0x80));
        assert_eq!((owner[4], owner[20]), (0xff, 0xff));
    }

    #[test]
    fn a_frozen_page_is_told_as_it_is_and_only_where_it_belongs() {
        let mut captured = page(0xc9, &[0; 44]);
        captured.frozen = true;
        captured.to.ports = Ports::Of(ControllerId::A);
        let rig = rig(vec![captured]);
        assert_eq!(rig.get(A, LUN0, &vpd(0xc9), 256)[4..], [0; 44]);
        assert_eq!(rig.get(B, LUN0, &vpd(0xc9), 256)[4..8], *b"vac1");
        assert_eq!(rig.get(A, NO_LUN, &vpd(0xc9), 256)[0], 0x7f, "not mapped: nothing is captured");
    }

    #[test]
    fn a_page_that_the_personality_lacks_is_listed_and_told() {
        let rig = rig(vec![page(0xd0, b"hello")]);
        let codes = rig.get(A, LUN0, &ALL, 256);
        assert_eq!(codes[4..].iter().filter(|code| **code == 0xd0).count(), 1);
        assert!(codes[4..].is_sorted());
        assert_eq!(rig.get(A, LUN0, &vpd(0xd0), 256)[4..], *b"hello");
    }

    #[test]
    fn the_standard_data_can_be_captured_too() {
        let mut bytes = vec![0; 36];
        bytes[4] = 31;
        bytes[8..16].copy_from_slice(b"CAPTURED");
        let standard = CapturedPage { page: InquiryPage::Standard, bytes, ..page(0, &[]) };
        let rig = rig(vec![standard]);
        assert_eq!(rig.get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255)[8..16], *b"CAPTURED");
    }
}
