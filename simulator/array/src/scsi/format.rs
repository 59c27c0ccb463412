//! FORMAT UNIT (SBC-3 5.3).

use crate::{completion::Stop, encoding::be16, sense::Sense, store::Store, wire::Wire};

/// FMTDATA: a parameter list follows.
const FMTDATA: u8 = 0x10;
/// LONGLIST: its header is a long one.
const LONGLIST: u8 = 0x20;

/// The lengths of the parameter list's headers.
const SHORT_HEADER: u16 = 4;
const LONG_HEADER: u16 = 8;

/// The length of the parameter list that a CDB announces. There is none but its header, since a LUN has no
/// defects.
pub(super) fn list_len(cdb: &[u8]) -> u16 {
    match cdb[1] & (FMTDATA | LONGLIST) {
        FMTDATA => SHORT_HEADER,
        len if len & FMTDATA != 0 => LONG_HEADER,
        _ => 0,
    }
}

/// Zeroes the LUN. Refuses defect lists, initialization patterns and protection information, which LUNs do
/// not have.
pub(super) fn format(store: &Store, list_len: u16, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let list = wire.receive(list_len)?;
    if list.first().is_some_and(|usage| usage & 0x07 != 0) {
        return Err(Sense::parameter_field(0).into());
    }
    // IP, the initialization pattern, is the only option that changes what follows.
    if list.get(1).is_some_and(|options| options & 0x08 != 0) {
        return Err(Sense::parameter_field(1).into());
    }
    if list_len == SHORT_HEADER && be16(&list, 2) != 0 || list.iter().skip(4).any(|byte| *byte != 0)
    {
        return Err(Sense::parameter_field(2).into());
    }
    Ok(store.zero(0..store.len())?)
}
