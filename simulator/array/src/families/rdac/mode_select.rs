//! Mode page 2Ch, "redundant controller": what it reports, and how it moves LUNs.
//!
//! There are two forms, which differ in the size of the LUN table: the legacy page for LUNs 0 to
//! 31, and subpage 01h for LUNs 0 to 255. In both, the same 38 bytes precede the table. Offsets in
//! this file are relative to the page code.

use crate::{
    controller::ControllerState,
    encoding::put_text,
    ids::Lun,
    personality::{Effect, PageControl, Site},
    unit::Unit,
};

pub(super) const REDUNDANT_CONTROLLER: u8 = 0x2c;
/// The subpage with the expanded LUN table.
pub(super) const EXPANDED: u8 = 0x01;

/// The offsets of the fields after the page header.
mod field {
    pub(super) const SERIAL: usize = 0;
    pub(super) const ALTERNATE_SERIAL: usize = 16;
    pub(super) const MODE: usize = 32;
    pub(super) const ALTERNATE_MODE: usize = 34;
    pub(super) const QUIESCENCE_TIMEOUT: usize = 36;
    pub(super) const LUN_TABLE: usize = 38;
}

/// The low byte of an RDAC mode field.
mod mode {
    /// This controller is active alone. In MODE SELECT: every LUN moves to this controller.
    pub(super) const ACTIVE: u8 = 0x01;
    /// Both controllers are active. In MODE SELECT: the LUNs that are marked in the table move to
    /// this controller.
    pub(super) const DUAL_ACTIVE: u8 = 0x02;
    pub(super) const NOT_PRESENT: u8 = 0x03;
    pub(super) const HELD_IN_RESET: u8 = 0x04;
}

/// The values of an entry in the LUN table. MODE SENSE returns one of the first three. In MODE
/// SELECT, `TAKE` moves the LUN and all other values leave it alone, so that a host can read a
/// table, mark entries and write it back.
mod entry {
    pub(super) const NONE: u8 = 0x00;
    pub(super) const PREFERRED: u8 = 0x01;
    pub(super) const ALTERNATE: u8 = 0x02;
    pub(super) const ACCESS_LUN: u8 = 0x03;
    pub(super) const TAKE: u8 = 0x81;
}

/// The quiescence timeout that the array reports, in seconds.
const QUIESCENCE_TIMEOUT: u8 = 20;

/// The length of the page header, the number of entries in the LUN table and the total length, for
/// each form.
struct Form {
    header: usize,
    luns: usize,
    len: usize,
}

const LEGACY_FORM: Form = Form { header: 2, luns: 32, len: 106 };
const EXPANDED_FORM: Form = Form { header: 4, luns: 256, len: 300 };

/// The page or subpage, with its header.
pub(super) fn page(site: &Site<'_>, subpage: u8, control: PageControl) -> Vec<u8> {
    let form = if subpage == EXPANDED { EXPANDED_FORM } else { LEGACY_FORM };
    let mut page = vec![0; form.len];
    if subpage == EXPANDED {
        page[..2].copy_from_slice(&[0x40 | REDUNDANT_CONTROLLER, EXPANDED]);
        page[2..4].copy_from_slice(&((form.len - 4) as u16).to_be_bytes());
    } else {
        page[..2].copy_from_slice(&[REDUNDANT_CONTROLLER, (form.len - 2) as u8]);
    }
    let fields = &mut page[form.header..];
    match control {
        PageControl::Changeable => changeable(fields, form.luns),
        _ => current(site, fields, form.luns),
    }
    page
}

/// Sets the bits that MODE SELECT evaluates.
fn changeable(fields: &mut [u8], luns: usize) {
    fields[field::MODE + 1] = 0xff;
    fields[field::QUIESCENCE_TIMEOUT..field::LUN_TABLE + luns].fill(0xff);
}

fn current(site: &Site<'_>, fields: &mut [u8], luns: usize) {
    let (this, other) = (site.controller(), site.alternate());
    let state = other.and_then(|other| site.state(other));
    let serial = |controller| format!("{}{controller}", site.identity.serial);
    let is_there = state.is_some_and(|state| state != ControllerState::Removed);
    put_text(&mut fields[field::SERIAL..][..16], &serial(this));
    if let Some(other) = other.filter(|_| is_there) {
        put_text(&mut fields[field::ALTERNATE_SERIAL..][..16], &serial(other));
    }
    let other_mode = match state {
        None | Some(ControllerState::Removed) => mode::NOT_PRESENT,
        Some(ControllerState::Offline | ControllerState::Failed) => mode::HELD_IN_RESET,
        Some(_) => mode::DUAL_ACTIVE,
    };
    // The high byte reports whether the alternate controller is present.
    let present = u8::from(is_there);
    fields[field::MODE..][..2].copy_from_slice(&[present, mode::DUAL_ACTIVE]);
    fields[field::ALTERNATE_MODE..][..2].copy_from_slice(&[present, other_mode]);
    fields[field::QUIESCENCE_TIMEOUT] = QUIESCENCE_TIMEOUT;
    for (number, unit) in site.inventory() {
        let at = usize::from(number.0);
        if at < luns {
            fields[field::LUN_TABLE + at] = table_entry(site, unit);
        }
    }
}

/// Whether the preferred controller of a LUN is the one that received the command.
fn table_entry(site: &Site<'_>, unit: &Unit) -> u8 {
    if unit.preferred == site.controller() { entry::PREFERRED } else { entry::ALTERNATE }
}

/// Evaluates the page or subpage, whose length is already checked (rdac:rdac_failover_get). The
/// controller that receives it takes over the LUNs. The addressed LUN need not be among them, and
/// LUNs that the controller owns already stay. The error is the offset of the invalid byte; no LUN
/// moves then.
pub(super) fn transfer(site: &Site<'_>, page: &[u8]) -> Result<Effect, u16> {
    let form = if page[0] & 0x40 != 0 { EXPANDED_FORM } else { LEGACY_FORM };
    let fields = &page[form.header..];
    let at_fault = |at: usize| (form.header + at) as u16;
    match fields[field::MODE + 1] {
        mode::ACTIVE => {
            Ok(Effect::Take(site.inventory().into_iter().map(|(_, unit)| unit.lun).collect()))
        }
        mode::DUAL_ACTIVE => {
            let table = &fields[field::LUN_TABLE..][..form.luns];
            marked(site, table).map(Effect::Take).map_err(|lun| at_fault(field::LUN_TABLE + lun))
        }
        _ => Err(at_fault(field::MODE + 1)),
    }
}

/// The LUNs that the table marks. The error is the index of an entry that has an invalid value, or
/// that marks a LUN which is not mapped.
fn marked(site: &Site<'_>, table: &[u8]) -> Result<Vec<Lun>, usize> {
    let mut luns = Vec::new();
    for (index, value) in table.iter().enumerate() {
        match *value {
            entry::NONE | entry::PREFERRED | entry::ALTERNATE | entry::ACCESS_LUN => {}
            entry::TAKE => match site.seen_as(Lun(index as u16)) {
                Some(unit) => luns.push(unit.lun),
                None => return Err(index),
            },
            _ => return Err(index),
        }
    }
    Ok(luns)
}
