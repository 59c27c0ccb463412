//! SCSI Command and SCSI Response (RFC 7143 clauses 11.3 and 11.4).

use sansim_array::{CommandRecord, DataDirection, ServiceResponse};

use super::{data_out, header, lun_field, put, put_request_numbers, put_response_numbers};
use crate::{path::Path, task_tag::TaskTag};

const COMMAND: u8 = 0x01;
const RESPONSE: u8 = 0x21;

/// Flags of a SCSI Command (clause 11.3.1). Every command is sent as SIMPLE: the task attribute is
/// not in the record.
const FINAL: u8 = 0x80;
const READ: u8 = 0x40;
const WRITE: u8 = 0x20;
const SIMPLE: u8 = 0x01;

/// The flag of a SCSI Response whose residual count is an underflow (clause 11.4.1).
const UNDERFLOW: u8 = 0x02;

/// Response codes (clause 11.4.3).
const COMPLETED_AT_TARGET: u8 = 0x00;
const TARGET_FAILURE: u8 = 0x01;

/// The number of CDB bytes in the basic header segment. Further ones are in an additional header
/// segment of this type (clause 11.2.2.3).
const SHORT_CDB: usize = 16;
const EXTENDED_CDB: u8 = 0x01;

/// The SCSI Command PDU of a record. The path's next command has the next CmdSN.
pub(crate) fn command(record: &CommandRecord, path: &mut Path) -> Vec<u8> {
    let expected = expected_length(record);
    let direction = match direction(record) {
        DataDirection::In if expected > 0 => READ,
        DataDirection::Out if expected > 0 => WRITE,
        _ => 0,
    };
    let flags = FINAL | direction | SIMPLE;
    let mut pdu = header(COMMAND, flags, TaskTag::of_command(record.seq));
    pdu[8..16].copy_from_slice(&lun_field(record.addressed));
    put(&mut pdu, 20, expected);
    put_request_numbers(&mut pdu, path.cmd_sn, path.stat_sn);
    path.cmd_sn = path.cmd_sn.wrapping_add(1);
    let cdb = cdb(record);
    let (short, rest) = cdb.split_at(cdb.len().min(SHORT_CDB));
    pdu[32..32 + short.len()].copy_from_slice(short);
    let additional = extended_cdb(rest);
    // The length in words of four bytes.
    pdu[4] = (additional.len() / 4) as u8;
    // Data-out is immediate data (clause 11.3.5).
    let data = data_out(record).unwrap_or_default();
    pdu[5..8].copy_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
    let mut pdu = [&pdu[..], &additional, data].concat();
    pdu.resize(pdu.len().next_multiple_of(4), 0);
    pdu
}

/// The SCSI Response PDU of a record, with its sense data; `None` if the target sent no response.
/// The path's next response has the next StatSN.
///
/// An HBA that gets no response tells its host why by a virtio-scsi response code. Only OK and
/// TARGET FAILURE stand for something that a target sends.
pub(crate) fn response(record: &CommandRecord, path: &mut Path) -> Option<Vec<u8>> {
    let completion = &record.completion;
    let (response, residual) = match completion.response {
        ServiceResponse::Ok => (COMPLETED_AT_TARGET, completion.residual),
        ServiceResponse::TargetFailure => (TARGET_FAILURE, 0),
        _ => return None,
    };
    // More cannot remain than the command announced.
    let residual = residual.min(expected_length(record));
    let flags = FINAL | if residual > 0 { UNDERFLOW } else { 0 };
    let mut pdu = header(RESPONSE, flags, TaskTag::of_command(record.seq));
    pdu[2] = response;
    pdu[3] = completion.status as u8;
    put_response_numbers(&mut pdu, path.cmd_sn, path.stat_sn);
    put(&mut pdu, 44, residual);
    path.stat_sn = path.stat_sn.wrapping_add(1);
    let data = sense_segment(record);
    let len = (data.len() as u32).to_be_bytes();
    pdu[5..8].copy_from_slice(&len[1..]);
    let mut pdu = [&pdu[..], &data].concat();
    pdu.resize(pdu.len().next_multiple_of(4), 0);
    Some(pdu)
}

/// Whether a target sent a SCSI Response.
pub(crate) fn has_response(record: &CommandRecord) -> bool {
    matches!(record.completion.response, ServiceResponse::Ok | ServiceResponse::TargetFailure)
}

pub(super) fn direction(record: &CommandRecord) -> DataDirection {
    record.op.map_or(DataDirection::None, |op| op.direction)
}

/// The Expected Data Transfer Length in bytes (clause 11.3.4): the initiator's buffers. It is 0 if
/// the direction of the transfer is not known.
fn expected_length(record: &CommandRecord) -> u32 {
    match direction(record) {
        DataDirection::None => 0,
        DataDirection::In | DataDirection::Out => record.offered,
    }
}

/// The CDB without the padding of virtio's field of 32 bytes.
fn cdb(record: &CommandRecord) -> &[u8] {
    let cdb: &[u8] = &record.cdb;
    let len = match (record.op, cdb.first().map_or(0, |code| code >> 5)) {
        (Some(op), _) => op.cdb_len(),
        // The group code of an unknown operation (SPC-4 4.2.5.1).
        (None, 0) => 6,
        (None, 1 | 2) => 10,
        (None, 4) => 16,
        (None, 5) => 12,
        // A variable length, or a vendor's: nothing but trailing zeros is padding.
        (None, _) => cdb.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
    };
    &cdb[..cdb.len().min(len)]
}

/// The additional header segment with the CDB bytes after the first 16 (clause 11.2.2.3); empty if
/// there are none.
fn extended_cdb(rest: &[u8]) -> Vec<u8> {
    if rest.is_empty() {
        return Vec::new();
    }
    // The length includes the reserved byte after the type.
    let len = (rest.len() as u16 + 1).to_be_bytes();
    let mut segment = [&len[..], &[EXTENDED_CDB, 0], rest].concat();
    segment.resize(segment.len().next_multiple_of(4), 0);
    segment
}

/// The data segment of a SCSI Response: the length of the sense data, then the sense data (clause
/// 11.4.7). Empty without sense data.
fn sense_segment(record: &CommandRecord) -> Vec<u8> {
    let Some(sense) = record.completion.sense else { return Vec::new() };
    let (bytes, len) = sense.to_bytes();
    [&(len as u16).to_be_bytes()[..], &bytes[..len]].concat()
}

#[cfg(test)]
mod tests;
