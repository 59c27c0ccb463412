//! MODE SELECT(6) and (10) (SPC-4 6.11, 6.12).

use super::mode_page;
use crate::{
    completion::Stop,
    encoding::{be16, be32, be64},
    personality::{Effect, PageControl, PageError, Site},
    sense::Sense,
    unit::{ControlValues, Unit},
    wire::Wire,
};

/// The changes that a MODE SELECT requests. All of them are checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    /// The new control mode page values of the command's nexus.
    pub(crate) control: ControlValues,
    /// The change of ownership that a page of the personality requests.
    pub(crate) effect: Effect,
}

/// Reads and checks a MODE SELECT. The PF bit is ignored, because Linux and multipath-tools send
/// pages with PF clear (rdac:rdac_failover_get, the rdac checker's TAS write).
pub(crate) fn mode_select(
    site: &Site<'_>,
    unit: &Unit,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<Selected, Stop> {
    let (short, save) = (cdb[0] == 0x15, cdb[1] & 0x01 != 0);
    let len = if short { cdb[4].into() } else { be16(cdb, 7) };
    let mut selected = Selected { control: mode_page::control_values(site), effect: Effect::None };
    if len == 0 {
        return Ok(selected);
    }
    let list = wire.receive(len)?;
    let mut at = first_page(unit, &list, short)?;
    while at < list.len() {
        let page = page_at(site, &list, at)?;
        select_page(site, page, save, &mut selected).map_err(|error| match error {
            PageError::Field(byte) => {
                Sense::parameter_field((at as u16).saturating_add(byte)).into()
            }
            PageError::Refused(sense) => sense.into(),
            PageError::Reserved => Stop::Conflict,
        })?;
        at += page.len();
    }
    Ok(selected)
}

/// The offset of the first page. It follows the header, whose length field is reserved here, and
/// the block descriptor, which must match the LUN.
fn first_page(unit: &Unit, list: &[u8], short: bool) -> Result<usize, Sense> {
    let header = if short { 4 } else { 8 };
    if list.len() < header {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let (descriptors, long) =
        if short { (list[3].into(), false) } else { (be16(list, 6), list[4] & 0x01 != 0) };
    let first = header + usize::from(descriptors);
    if first > list.len() {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let descriptor = &list[header..first];
    let (blocks, block_bytes) = match (descriptor.len(), long) {
        (0, _) => return Ok(first),
        (8, false) => (be32(descriptor, 0).into(), be32(descriptor, 4) & 0x00ff_ffff),
        (16, true) => (be64(descriptor, 0), be32(descriptor, 12)),
        _ => return Err(Sense::parameter_field(if short { 3 } else { 6 })),
    };
    // A number of blocks of 0, or of all ones in the short form, leaves the capacity unchanged
    // (SBC-3 6.5.2.2).
    let same = blocks == 0 || blocks == unit.blocks || !long && blocks == u64::from(u32::MAX);
    if same && block_bytes == unit.block_bytes {
        Ok(first)
    } else {
        Err(Sense::parameter_field(header as u16))
    }
}

/// The page at offset `at`. Fails if the array does not support it or if it is truncated.
fn page_at<'a>(site: &Site<'_>, list: &'a [u8], at: usize) -> Result<&'a [u8], Sense> {
    let rest = &list[at..];
    let subpaged = rest[0] & 0x40 != 0;
    if rest.len() < if subpaged { 4 } else { 2 } {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    }
    let (codes, len) = if subpaged {
        ((rest[0] & 0x3f, rest[1]), 4 + usize::from(be16(rest, 2)))
    } else {
        ((rest[0] & 0x3f, 0), 2 + usize::from(rest[1]))
    };
    let field = Sense::parameter_field(at as u16);
    if !mode_page::codes(site).contains(&codes) || subpaged != (codes.1 != 0) {
        return Err(field);
    }
    let ours = mode_page::page(site, codes, PageControl::Default).map_err(|_| field)?;
    if len != ours.len() && !site.personality.takes_length(codes.0, len) {
        return Err(Sense::parameter_field(at as u16 + if subpaged { 2 } else { 1 }));
    }
    rest.get(..len).ok_or(Sense::PARAMETER_LIST_LENGTH)
}

fn select_page(
    site: &Site<'_>,
    page: &[u8],
    save: bool,
    selected: &mut Selected,
) -> Result<(), PageError> {
    let code = page[0] & 0x3f;
    if !matches!(code, mode_page::CACHING | mode_page::CONTROL | mode_page::EXCEPTIONS) {
        match site.personality.mode_select(site, page)? {
            Effect::None => {}
            effect => selected.effect = effect,
        }
        return Ok(());
    }
    // If the personality checks reservations itself, nothing has been checked for this page yet.
    if site.unit().is_some_and(|unit| unit.reservations.forbid_changes(site.nexus)) {
        return Err(PageError::Reserved);
    }
    let get = |control| mode_page::page(site, (code, 0), control).map_err(|_| PageError::Field(0));
    let (current, changeable) = (get(PageControl::Current)?, get(PageControl::Changeable)?);
    let fixed = |at: usize| (page[at] ^ current[at]) & !changeable[at] != 0;
    if let Some(at) = (2..page.len()).find(|at| fixed(*at)) {
        return Err(PageError::Field(at as u16));
    }
    if code == mode_page::CONTROL {
        selected.control.tas = page[mode_page::TAS.0] & mode_page::TAS.1 != 0;
        if save {
            selected.control.saved_tas = selected.control.tas;
        }
    }
    Ok(())
}
