//! INQUIRY (SPC-4 6.6): the standard data, and the dispatch to the VPD pages.

use super::{captured::instead, peripheral::peripheral, vpd};
use crate::{
    completion::Stop,
    encoding::{be16, put_text},
    inquiry_page::InquiryPage,
    personality::Site,
    sense::Sense,
    wire::Wire,
};

/// The length of the standard data in bytes, up to and including the version descriptors.
const STANDARD_LEN: usize = 96;
/// The VERSION field: SPC-3. From this value on, Linux sends READ CAPACITY(16) and REPORT SUPPORTED
/// OPERATION CODES.
const VERSION: u8 = 0x05;
/// SAM-5, SPC-3 and SBC-3, each without a specific version (SPC-4 6.6.5).
const VERSION_DESCRIPTORS: [u16; 3] = [0x00a0, 0x0300, 0x04c0];

pub(crate) fn inquiry(site: &Site<'_>, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let (evpd, page) = (cdb[1] & 0x01 != 0, cdb[2]);
    let data = match evpd {
        // CMDDT is obsolete since SPC-3.
        _ if cdb[1] & 0x02 != 0 => return Err(Sense::cdb_field(1).into()),
        false if page != 0 => return Err(Sense::cdb_field(2).into()),
        false => {
            let native = standard(site);
            instead(site, InquiryPage::Standard, Some(&native)).unwrap_or(native)
        }
        true => vpd::page(site, page).ok_or(Sense::cdb_field(2))?,
    };
    wire.send(&data, be16(cdb, 3).into())
}

fn standard(site: &Site<'_>) -> Vec<u8> {
    let mut data = vec![0; STANDARD_LEN];
    data[0] = peripheral(site);
    data[2] = VERSION;
    data[3] = 0x12; // HISUP: hierarchical LUN addressing. Response data format 2.
    data[6] = 0x10; // MULTIP: multiple target ports.
    data[7] = 0x02; // CMDQUE: command queuing.
    put_text(&mut data[8..16], &site.identity.vendor);
    let lunz = site.target.lunz.product().filter(|_| site.is_lunz());
    put_text(&mut data[16..32], lunz.unwrap_or(&site.identity.product));
    put_text(&mut data[32..36], &site.identity.revision);
    for (at, version) in VERSION_DESCRIPTORS.iter().enumerate() {
        data[58 + 2 * at..60 + 2 * at].copy_from_slice(&version.to_be_bytes());
    }
    if site.unit().is_some() {
        site.personality.standard_inquiry(site, &mut data);
    }
    data[4] = u8::try_from(data.len() - 5).unwrap_or(u8::MAX);
    data
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    #[test]
    fn the_standard_data_is_that_of_an_rdac_disk_without_target_port_groups() {
        let data = Rig::ready().get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255);
        assert_eq!(data.len(), 96);
        assert_eq!(data[..8], [0x00, 0, 5, 0x12, 91, 0, 0x10, 0x02]);
        assert_eq!(data[8..36], *b"IBM     1814      FAStT 0916");
        assert_eq!(data[5] & 0x30, 0, "TPGS must be 0, or Linux attaches alua");
    }

    #[test]
    fn truncation_changes_no_length_field() {
        let rig = Rig::ready();
        let whole = rig.get(A, LUN0, &[0x12, 0, 0, 0, 255, 0], 255);
        assert_eq!(rig.get(A, LUN0, &[0x12, 0, 0, 0, 36, 0], 36), whole[..36]);
        assert_eq!(rig.get(A, LUN0, &[0x12, 1, 0xc9, 0, 4, 0], 4), [0, 0xc9, 0, 0x2c]);
        assert_eq!(rig.get(A, LUN0, &[0x12, 0, 0, 0, 0, 0], 0), []);
    }

    #[test]
    fn a_lun_that_is_not_mapped_says_so() {
        let rig = Rig::ready();
        assert_eq!(rig.get(A, NO_LUN, &[0x12, 0, 0, 0, 36, 0], 36)[0], 0x7f);
        assert_eq!(rig.get(A, NO_LUN, &[0x12, 1, 0, 0, 36, 0], 36), [0x7f, 0, 0, 2, 0, 0xc9]);
        assert_eq!(rig.sense(A, NO_LUN, &[0x12, 1, 0x83, 0, 36, 0], &[]), "05/24/00");
    }

    #[test]
    fn a_page_code_without_evpd_and_an_unknown_page_are_refused() {
        let rig = Rig::ready();
        assert_eq!(rig.sense(A, LUN0, &[0x12, 0, 0x80, 0, 36, 0], &[]), "05/24/00");
        assert_eq!(rig.sense(A, LUN0, &[0x12, 2, 0, 0, 36, 0], &[]), "05/24/00");
        assert_eq!(rig.sense(A, LUN0, &[0x12, 1, 0xc0, 0, 36, 0], &[]), "05/24/00");
    }

    #[test]
    fn no_unit_attention_is_reported_or_lost() {
        let rig = Rig::new(config());
        rig.get(A, LUN0, &[0x12, 0, 0, 0, 36, 0], 36);
        rig.get(A, LUN0, &[0x12, 1, 0xc8, 0, 255, 0], 255);
        assert_eq!(rig.sense(A, LUN0, &TEST_UNIT_READY, &[]), "06/29/00");
    }
}
