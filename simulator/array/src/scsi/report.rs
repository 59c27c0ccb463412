//! REPORT LUNS, REPORT SUPPORTED OPERATION CODES and REQUEST SENSE.

use super::{Stop, be16, be32, wire::Wire};
use crate::{
    ids::Lun,
    operation::{OPERATIONS, Operation},
    personality::Site,
    sense::Sense,
};

/// Answers REPORT LUNS (SPC-4 6.33): the same behind every port. There is no well-known LUN.
pub(crate) fn report_luns(site: &Site<'_>, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let luns: Vec<[u8; 8]> = match cdb[2] {
        0x00 | 0x02 => site.units.keys().map(|lun| lun_field(*lun)).collect(),
        0x01 => Vec::new(),
        _ => return Err(Sense::cdb_field(2).into()),
    };
    let mut data = vec![0; 8];
    data[..4].copy_from_slice(&((luns.len() * 8) as u32).to_be_bytes());
    data.extend(luns.concat());
    wire.send(&data, be32(cdb, 6) as usize)
}

/// Peripheral device addressing up to 255, flat space addressing above (SAM-5 4.7.7).
fn lun_field(lun: Lun) -> [u8; 8] {
    let [high, low] = lun.0.to_be_bytes();
    let method = if high == 0 { 0x00 } else { 0x40 };
    [method | high, low, 0, 0, 0, 0, 0, 0]
}

/// Answers REPORT SUPPORTED OPERATION CODES (SPC-4 6.36) from the table of operations.
pub(crate) fn report_opcodes(cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let timeouts = cdb[2] & 0x80 != 0;
    let data = match cdb[2] & 0x07 {
        0 => all_commands(timeouts),
        option @ 1..=3 => one_command(option, cdb[3], be16(cdb, 4), timeouts)?,
        _ => return Err(Sense::cdb_field(2).into()),
    };
    wire.send(&data, be32(cdb, 6) as usize)
}

/// The command timeouts descriptor (SPC-4 6.36.4): no timeout is indicated.
const TIMEOUTS: [u8; 12] = [0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn all_commands(timeouts: bool) -> Vec<u8> {
    let mut data = vec![0; 4];
    for op in &OPERATIONS {
        let flags = u8::from(timeouts) << 1 | u8::from(op.service_action.is_some());
        let action = op.service_action.unwrap_or(0);
        data.extend([op.opcode, 0, 0, action, 0, flags, 0, op.cdb_len() as u8]);
        data.extend(if timeouts { &TIMEOUTS[..] } else { &[] });
    }
    let len = (data.len() - 4) as u32;
    data[..4].copy_from_slice(&len.to_be_bytes());
    data
}

fn one_command(option: u8, opcode: u8, action: u16, timeouts: bool) -> Result<Vec<u8>, Sense> {
    let with_actions =
        OPERATIONS.iter().any(|op| op.opcode == opcode && op.service_action.is_some());
    let known = OPERATIONS.iter().any(|op| op.opcode == opcode);
    let asked = match option {
        // An operation code that has service actions needs one, and the other way round.
        1 if with_actions => return Err(Sense::cdb_field(2)),
        2 if known && !with_actions => return Err(Sense::cdb_field(2)),
        1 => find(opcode, None),
        3 if !with_actions => find(opcode, None).filter(|_| action == 0),
        _ => find(opcode, Some(action)),
    };
    let Some(op) = asked else { return Ok(vec![0, 0x01, 0, 0]) };
    let mut data = vec![0, u8::from(timeouts) << 7 | 0x03, 0, op.cdb_len() as u8];
    data.extend(op.usage);
    data.extend(if timeouts { &TIMEOUTS[..] } else { &[] });
    Ok(data)
}

fn find(opcode: u8, action: Option<u16>) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|op| op.opcode == opcode && op.service_action.map(u16::from) == action)
}

/// Answers REQUEST SENSE (SPC-4 6.39) with `sense` as parameter data.
pub(crate) fn request_sense(sense: Sense, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let allocation = cdb[4].into();
    if cdb[1] & 0x01 == 0 {
        return wire.send(&sense.to_fixed(), allocation);
    }
    let (data, len) = sense.to_descriptor();
    wire.send(&data[..len], allocation)
}
