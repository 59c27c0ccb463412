//! Mode page 22h, the trespass: it makes the storage processor that receives it take over a LUN.
//! Which form Linux sends depends on the INQUIRY data (emc:send_trespass_cmd). Offsets are relative
//! to the page code.

use crate::{
    encoding::be16,
    ids::Lun,
    personality::{Effect, PageControl, PageError, Site},
};

pub(super) const PAGE: u8 = 0x22;

/// The lengths with the page header. The short form has one byte for the LUN. The long form has
/// two, and six reserved bytes.
pub(super) const LENGTHS: [usize; 2] = [SHORT, LONG];
const SHORT: usize = 4;
const LONG: usize = 11;

const CODE: usize = 2;
const LUN: usize = 3;

/// The trespass code, without [`DISREGARD_RESERVATIONS`].
const TRESPASS: u8 = 0x01;
/// Reservations of other hosts do not prevent the trespass.
const DISREGARD_RESERVATIONS: u8 = 0x80;

/// The page that MODE SENSE returns: no trespass is in progress.
pub(super) fn page(control: PageControl) -> Vec<u8> {
    let mut page = vec![0; LONG];
    page[..2].copy_from_slice(&[PAGE, (LONG - 2) as u8]);
    if control == PageControl::Changeable {
        page[CODE..=LUN + 1].fill(0xff);
    }
    page
}

/// Accepts both forms. All ones in the LUN field stand for the addressed LUN.
pub(super) fn trespass(site: &Site<'_>, page: &[u8]) -> Result<Effect, PageError> {
    if page[CODE] & !DISREGARD_RESERVATIONS != TRESPASS {
        return Err(PageError::Field(CODE as u16));
    }
    let unit = match page.len() {
        SHORT if page[LUN] == u8::MAX => site.unit(),
        SHORT => site.seen_as(Lun(page[LUN].into())),
        _ if be16(page, LUN) == u16::MAX => site.unit(),
        _ => site.seen_as(Lun(be16(page, LUN))),
    };
    let unit = unit.ok_or(PageError::Field(LUN as u16))?;
    let honours = page[CODE] & DISREGARD_RESERVATIONS == 0;
    if honours && unit.reservations.forbid_changes(site.nexus) {
        return Err(PageError::Reserved);
    }
    match unit.condition.on_trespass() {
        Some(sense) => Err(PageError::Refused(sense)),
        None => Ok(Effect::Take(vec![unit.lun])),
    }
}
