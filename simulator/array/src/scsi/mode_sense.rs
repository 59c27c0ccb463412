//! MODE SENSE(6) and (10) (SPC-4 6.13, 6.14).

use super::mode_page;
use crate::{
    completion::Stop,
    encoding::be16,
    personality::{PageControl, Site},
    sense::Sense,
    unit::Unit,
    wire::Wire,
};

const ALL_PAGES: u8 = 0x3f;
const ALL_SUBPAGES: u8 = 0xff;

pub(crate) fn mode_sense(
    site: &Site<'_>,
    unit: &Unit,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let short = cdb[0] == 0x1a;
    let control = match cdb[2] >> 6 {
        0 => PageControl::Current,
        1 => PageControl::Changeable,
        2 => PageControl::Default,
        _ => PageControl::Saved,
    };
    let pages = pages(site, cdb[2] & 0x3f, cdb[3], control)?;
    let (no_descriptor, long_lba) = (cdb[1] & 0x08 != 0, !short && cdb[1] & 0x10 != 0);
    let descriptor = match (no_descriptor, long_lba) {
        (true, _) => Vec::new(),
        (false, false) => short_descriptor(unit),
        (false, true) => long_descriptor(unit),
    };
    // WP. DPOFUA is set, because both bits are accepted; without a cache, they have no effect.
    let device = u8::from(unit.read_only) << 7 | 0x10;
    let body = descriptor.len() + pages.len();
    let mut data = if short {
        // Data whose length does not fit into one byte cannot be requested with MODE SENSE(6).
        let len = u8::try_from(3 + body).map_err(|_| Sense::cdb_field(2))?;
        vec![len, 0, device, descriptor.len() as u8]
    } else {
        let mut header = ((6 + body) as u16).to_be_bytes().to_vec();
        let long = u8::from(long_lba && !no_descriptor);
        header.extend([0, device, long, 0, 0, descriptor.len() as u8]);
        header
    };
    data.extend(descriptor);
    data.extend(pages);
    wire.send(&data, if short { cdb[4].into() } else { be16(cdb, 7).into() })
}

/// The pages that a page code and a subpage code select (SPC-4 6.13.1.3).
fn pages(site: &Site<'_>, code: u8, subpage: u8, control: PageControl) -> Result<Vec<u8>, Stop> {
    let every_page = code == ALL_PAGES;
    let asked: Vec<_> = mode_page::codes(site)
        .into_iter()
        .filter(|page| every_page || page.0 == code)
        .filter(|page| subpage == ALL_SUBPAGES || page.1 == subpage)
        .collect();
    if asked.is_empty() {
        return Err(Sense::cdb_field(2).into());
    }
    let mut data = Vec::new();
    for page in asked {
        match mode_page::page(site, page, control) {
            // A request for all pages omits those that cannot be saved.
            Err(Stop::Check(Sense::SAVING_NOT_SUPPORTED)) if every_page => {}
            page => data.extend(page?),
        }
    }
    Ok(data)
}

/// The short LBA block descriptor (SBC-3 6.5.2.2).
fn short_descriptor(unit: &Unit) -> Vec<u8> {
    let blocks = u32::try_from(unit.blocks).unwrap_or(u32::MAX);
    [blocks.to_be_bytes(), unit.block_bytes.to_be_bytes()].concat()
}

/// The long LBA block descriptor (SBC-3 6.5.2.3).
fn long_descriptor(unit: &Unit) -> Vec<u8> {
    let (blocks, block_bytes) = (unit.blocks.to_be_bytes(), unit.block_bytes.to_be_bytes());
    [&blocks[..], &[0; 4], &block_bytes].concat()
}
