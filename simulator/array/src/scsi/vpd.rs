//! The vital product data (VPD) pages that every array supports (SPC-4 7.8, SBC-3 6.6).

use super::{
    captured::{self, instead},
    designators,
    medium::{MAX_BLOCKS, MAX_COMPARED},
    peripheral::peripheral,
};
use crate::{inquiry_page::InquiryPage, personality::Site, unit::Unit};

const SUPPORTED: u8 = 0x00;
const UNIT_SERIAL: u8 = 0x80;
const IDENTIFICATION: u8 = 0x83;
const MODE_PAGE_POLICY: u8 = 0x87;
const BLOCK_LIMITS: u8 = 0xb0;
const CHARACTERISTICS: u8 = 0xb1;
const PROVISIONING: u8 = 0xb2;

/// The control mode page.
const CONTROL: u8 = 0x0a;
/// The MODE PAGE POLICY field: one copy for all nexuses.
const SHARED: u8 = 0;

/// The standard pages of a mapped LUN. Together with the personality's pages, there must be fewer
/// than 32, because Linux reads no more (scsi_get_vpd_size).
const STANDARD: [u8; 7] = [
    SUPPORTED,
    UNIT_SERIAL,
    IDENTIFICATION,
    MODE_PAGE_POLICY,
    BLOCK_LIMITS,
    CHARACTERISTICS,
    PROVISIONING,
];

/// The maximum number of block descriptors in an UNMAP.
pub(super) const MAX_UNMAP_DESCRIPTORS: usize = 255;

/// A VPD page with its header; `None` if the addressed LUN does not have it.
pub(crate) fn page(site: &Site<'_>, page: u8) -> Option<Vec<u8>> {
    let native = native(site, page);
    instead(site, InquiryPage::Vpd(page), native.as_deref()).or(native)
}

/// The identifier that a host makes of a LUN: of its page 83h, as [`designators::wwid`] says.
pub(crate) fn wwid(site: &Site<'_>) -> Option<String> {
    designators::wwid(&page(site, IDENTIFICATION)?)
}

/// The page without regard to captured pages.
fn native(site: &Site<'_>, page: u8) -> Option<Vec<u8>> {
    let payload = match (site.unit(), page) {
        (unit, SUPPORTED) => supported(site, unit.is_some()),
        (Some(unit), UNIT_SERIAL) => serial_number(unit).into_bytes(),
        (Some(unit), IDENTIFICATION) => identification(site, unit),
        (Some(_), MODE_PAGE_POLICY) => mode_page_policy(),
        (Some(_), BLOCK_LIMITS) => block_limits(),
        (Some(_), CHARACTERISTICS) => characteristics(),
        (Some(_), PROVISIONING) => provisioning(),
        (unit, page) if vendor_pages(site, unit.is_some()).contains(&page) => {
            site.personality.vpd_page(site, page)
        }
        _ => return None,
    };
    let mut data = vec![peripheral(site), page, 0, 0];
    data[2..4].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    data.extend(payload);
    Some(data)
}

fn vendor_pages(site: &Site<'_>, mapped: bool) -> &'static [u8] {
    if mapped { site.personality.vpd_pages() } else { site.personality.vpd_pages_unmapped() }
}

/// Page 00h: the codes of all supported pages, in ascending order.
fn supported(site: &Site<'_>, mapped: bool) -> Vec<u8> {
    let standard = if mapped { &STANDARD[..] } else { &[SUPPORTED] };
    let mut codes = [standard, vendor_pages(site, mapped)].concat();
    codes.extend(captured::codes(site));
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Page 80h: the LUN's world-wide name in hexadecimal, because serial numbers must be unique.
fn serial_number(unit: &Unit) -> String {
    unit.name.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Page 83h: the LUN's name, which is the same through every path, the relative target port
/// identifier, and the designators of the personality.
fn identification(site: &Site<'_>, unit: &Unit) -> Vec<u8> {
    let mut data = Vec::new();
    if site.personality.names_luns() {
        // Code set: binary. Association: logical unit. Type: NAA.
        data.extend([0x01, 0x03, 0x00, unit.name.len() as u8]);
        data.extend(unit.name);
    }
    for kind in &site.identity.designators {
        data.extend(designators::of(*kind, site, unit));
    }
    // Code set: binary. Association: target port. Type: relative target port identifier.
    data.extend([0x01, 0x14, 0x00, 0x04, 0x00, 0x00]);
    data.extend(site.nexus.port.relative(site.controllers).to_be_bytes());
    data.extend(site.personality.designators(site));
    data
}

/// Page 87h: every mode page is per I_T nexus, so that MODE SELECT causes no unit attention for
/// other nexuses.
fn mode_page_policy() -> Vec<u8> {
    vec![0x3f, 0xff, 0x03, 0x00]
}

/// Whether page 87h, which may be a captured one, says that all nexuses share the control mode page
/// (SPC-4 7.8.9). Page code 3Fh and subpage code FFh stand for all pages that no other descriptor names.
pub(crate) fn shares_control_page(site: &Site<'_>) -> bool {
    let Some(page) = page(site, MODE_PAGE_POLICY) else { return false };
    let descriptors = || page.get(4..).unwrap_or_default().chunks_exact(4);
    let of = |code: u8, subpages: &[u8]| {
        descriptors().find(|it| it[0] & 0x3f == code && subpages.contains(&it[1]))
    };
    let policy = of(CONTROL, &[0, 0xff]).or_else(|| of(0x3f, &[0, 0xff]));
    policy.is_some_and(|descriptor| descriptor[2] & 0x03 == SHARED)
}

/// Page B0h, block limits (SBC-3 6.6.3). UNMAP may specify any number of blocks.
fn block_limits() -> Vec<u8> {
    let mut data = vec![0; 60];
    data[0] = 0x01; // WSNZ: WRITE SAME of zero blocks is refused.
    data[1] = MAX_COMPARED;
    data[4..8].copy_from_slice(&MAX_BLOCKS.to_be_bytes());
    data[32..40].copy_from_slice(&u64::from(MAX_BLOCKS).to_be_bytes());
    data[16..20].fill(0xff);
    data[20..24].copy_from_slice(&(MAX_UNMAP_DESCRIPTORS as u32).to_be_bytes());
    data[27] = 1; // Optimal unmap granularity: one block.
    data
}

/// Page B1h, block device characteristics (SBC-3 6.6.2): a non-rotating medium.
fn characteristics() -> Vec<u8> {
    let mut data = vec![0; 60];
    data[1] = 0x01;
    data
}

/// Page B2h, logical block provisioning (SBC-3 6.6.4): thin. UNMAP and both WRITE SAME commands can
/// unmap. Unmapped blocks read as zeros.
fn provisioning() -> Vec<u8> {
    vec![0, 0xe4, 0x02, 0]
}

#[cfg(test)]
mod tests {
    use crate::{Identity, Lun, Nexus, testing::*, unit::world_wide_name};

    fn page(rig: &Rig, nexus: Nexus, lun: Lun, page: u8) -> Vec<u8> {
        let data = rig.get(nexus, lun, &[0x12, 1, page, 1, 0, 0], 256);
        assert_eq!(data[..2], [0, page]);
        assert_eq!(usize::from(u16::from_be_bytes([data[2], data[3]])), data.len() - 4);
        data[4..].to_vec()
    }

    #[test]
    fn page_00_lists_every_page_within_the_first_32() {
        let rig = Rig::ready();
        let codes = page(&rig, A, LUN0, 0x00);
        assert_eq!(codes, [0, 0x80, 0x83, 0x87, 0xb0, 0xb1, 0xb2, 0xc2, 0xc4, 0xc8, 0xc9]);
        codes.into_iter().for_each(|code| assert!(!page(&rig, A, LUN0, code).is_empty()));
    }

    #[test]
    fn page_83_has_the_same_lun_designator_on_every_path() {
        let rig = Rig::ready();
        let (through_a, through_b) = (page(&rig, A, LUN0, 0x83), page(&rig, B, LUN0, 0x83));
        let name = world_wide_name([0x00, 0xa0, 0xb8], &Identity::for_rdac(), LUN0, 0);
        assert_eq!(through_a[..20], [&[1, 3, 0, 16], &name[..]].concat());
        assert_eq!(through_a[..20], through_b[..20]);
        assert_eq!(through_a[20..], [1, 0x14, 0, 4, 0, 0, 0, 1], "relative port 1 is A0");
        assert_eq!(through_b[20..], [1, 0x14, 0, 4, 0, 0, 0, 3], "relative port 3 is B0");
    }

    #[test]
    fn page_80_tells_luns_apart() {
        let rig = Rig::ready();
        assert_eq!(page(&rig, A, LUN0, 0x80), page(&rig, B, LUN0, 0x80));
        assert_ne!(page(&rig, A, LUN0, 0x80), page(&rig, A, LUN1, 0x80));
        assert_eq!(page(&rig, A, LUN0, 0x80)[..8], *b"600A0B80");
    }

    #[test]
    fn the_block_pages_have_their_fields_in_place() {
        let rig = Rig::ready();
        let limits = page(&rig, A, LUN0, 0xb0);
        assert_eq!(limits.len(), 0x3c);
        assert_eq!(limits[1], 255, "COMPARE AND WRITE");
        assert_eq!(limits[4..8], 65_536_u32.to_be_bytes());
        assert_eq!(limits[16..20], [0xff; 4]);
        assert_eq!(limits[20..24], 255_u32.to_be_bytes());
        assert_eq!(limits[32..40], 65_536_u64.to_be_bytes());
        assert_eq!(page(&rig, A, LUN0, 0xb1)[..2], [0, 1], "does not rotate");
        assert_eq!(page(&rig, A, LUN0, 0xb2), [0, 0xe4, 2, 0]);
        assert_eq!(page(&rig, A, LUN0, 0x87), [0x3f, 0xff, 0x03, 0]);
    }
}
