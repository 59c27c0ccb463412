//! Mode page 2Ch, "redundant controller": what the array tells of it and how it moves LUNs.
//!
//! Two forms that differ in the size of the LUN table: the legacy page for LUNs 0 to 31 and subpage
//! 01h for LUNs 0 to 255. Both have the same 38 bytes before the table. Offsets in this file are
//! counted from the page's code.

use super::pages::alternate;
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

/// What follows the page header, before the LUN table.
mod field {
    pub(super) const SERIAL: usize = 0;
    pub(super) const ALTERNATE_SERIAL: usize = 16;
    pub(super) const MODE: usize = 32;
    pub(super) const ALTERNATE_MODE: usize = 34;
    pub(super) const QUIESCENCE_TIMEOUT: usize = 36;
    pub(super) const LUN_TABLE: usize = 38;
}

/// The low byte of an RDAC mode.
mod mode {
    /// To be active alone: in MODE SELECT, every LUN moves to this controller.
    pub(super) const ACTIVE: u8 = 0x01;
    /// Both are active: in MODE SELECT, the LUNs that the table marks move to this controller.
    pub(super) const DUAL_ACTIVE: u8 = 0x02;
    pub(super) const NOT_PRESENT: u8 = 0x03;
    pub(super) const HELD_IN_RESET: u8 = 0x04;
}

/// An entry of the LUN table. Reading it tells the first three; writing it, `TAKE` moves the LUN
/// and any of the others leaves it, so that a table can be read, marked and written back.
mod entry {
    pub(super) const NONE: u8 = 0x00;
    pub(super) const PREFERRED: u8 = 0x01;
    pub(super) const ALTERNATE: u8 = 0x02;
    pub(super) const ACCESS_LUN: u8 = 0x03;
    pub(super) const TAKE: u8 = 0x81;
}

/// The quiescence timeout that the array reports, in seconds.
const QUIESCENCE_TIMEOUT: u8 = 20;

/// Where the common fields begin and how long the LUN table is, in each form.
struct Form {
    header: usize,
    luns: usize,
    len: usize,
}

const LEGACY_FORM: Form = Form { header: 2, luns: 32, len: 106 };
const EXPANDED_FORM: Form = Form { header: 4, luns: 256, len: 300 };

/// The page or its subpage, with its header.
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

/// Ones where MODE SELECT takes any notice.
fn changeable(fields: &mut [u8], luns: usize) {
    fields[field::MODE + 1] = 0xff;
    fields[field::QUIESCENCE_TIMEOUT..field::LUN_TABLE + luns].fill(0xff);
}

fn current(site: &Site<'_>, fields: &mut [u8], luns: usize) {
    let (this, other) = (site.controller(), alternate(site.controller()));
    let serial = |controller| format!("{}{controller}", site.identity.serial);
    let is_there = site.state(other).is_some_and(|state| state != ControllerState::Removed);
    put_text(&mut fields[field::SERIAL..][..16], &serial(this));
    if is_there {
        put_text(&mut fields[field::ALTERNATE_SERIAL..][..16], &serial(other));
    }
    let other_mode = match site.state(other) {
        None | Some(ControllerState::Removed) => mode::NOT_PRESENT,
        Some(ControllerState::Offline | ControllerState::Failed) => mode::HELD_IN_RESET,
        Some(_) => mode::DUAL_ACTIVE,
    };
    // The high byte tells whether the alternate controller is there.
    let present = u8::from(is_there);
    fields[field::MODE..][..2].copy_from_slice(&[present, mode::DUAL_ACTIVE]);
    fields[field::ALTERNATE_MODE..][..2].copy_from_slice(&[present, other_mode]);
    fields[field::QUIESCENCE_TIMEOUT] = QUIESCENCE_TIMEOUT;
    for unit in site.units.values() {
        let at = usize::from(unit.lun.0);
        if at < luns {
            fields[field::LUN_TABLE + at] = table_entry(site, unit);
        }
    }
}

/// Which controller a LUN should be with, seen from the one that is asked.
fn table_entry(site: &Site<'_>, unit: &Unit) -> u8 {
    if unit.preferred == site.controller() { entry::PREFERRED } else { entry::ALTERNATE }
}

/// Takes the page or its subpage, of the right length (rdac:rdac_failover_get). The controller that
/// receives it takes the LUNs, among which the addressed one need not be; one that is there already
/// stays. An error names the byte at fault, and then no LUN moves.
pub(super) fn transfer(site: &Site<'_>, page: &[u8]) -> Result<Effect, u16> {
    let form = if page[0] & 0x40 != 0 { EXPANDED_FORM } else { LEGACY_FORM };
    let fields = &page[form.header..];
    let at_fault = |at: usize| (form.header + at) as u16;
    match fields[field::MODE + 1] {
        mode::ACTIVE => Ok(Effect::Take(site.units.keys().copied().collect())),
        mode::DUAL_ACTIVE => {
            let table = &fields[field::LUN_TABLE..][..form.luns];
            marked(site, table).map(Effect::Take).map_err(|lun| at_fault(field::LUN_TABLE + lun))
        }
        _ => Err(at_fault(field::MODE + 1)),
    }
}

/// The LUNs that a table marks; an error is the index of an entry that means nothing, or that marks
/// a LUN which is not mapped.
fn marked(site: &Site<'_>, table: &[u8]) -> Result<Vec<Lun>, usize> {
    let mut luns = Vec::new();
    for (index, value) in table.iter().enumerate() {
        let lun = Lun(index as u16);
        match *value {
            entry::NONE | entry::PREFERRED | entry::ALTERNATE | entry::ACCESS_LUN => {}
            entry::TAKE if site.units.contains_key(&lun) => luns.push(lun),
            _ => return Err(index),
        }
    }
    Ok(luns)
}
