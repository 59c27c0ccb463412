//! The data of a command: SCSI Data-In (RFC 7143 clause 11.7), and immediate data-out (clause 11.3.5).

use sansim_array::{CommandRecord, DataDirection};

use super::{command::direction, header, lun_field, put, put_response_numbers};
use crate::{path::Path, task_tag::TaskTag};

const DATA_IN: u8 = 0x25;
const FINAL: u8 = 0x80;

/// The most bytes of a command's data in a PDU, far below what fits into an IPv4 packet.
const MOST: usize = 32 << 10;

/// The data that a target sent, as one PDU. Its status comes in a PDU of its own, which alone counts for
/// the path's StatSN.
pub(crate) fn data_in(record: &CommandRecord, path: &Path) -> Vec<u8> {
    let data = moved(record, DataDirection::In).unwrap_or_default();
    let mut pdu = header(DATA_IN, FINAL, TaskTag::of_command(record.seq));
    pdu[5..8].copy_from_slice(&(data.len() as u32).to_be_bytes()[1..]);
    pdu[8..16].copy_from_slice(&lun_field(record.addressed));
    put(&mut pdu, 20, TaskTag::NONE.0);
    put_response_numbers(&mut pdu, path.cmd_sn, 0);
    let mut pdu = [&pdu[..], data].concat();
    pdu.resize(pdu.len().next_multiple_of(4), 0);
    pdu
}

pub(crate) fn has_data_in(record: &CommandRecord) -> bool {
    moved(record, DataDirection::In).is_some()
}

/// The data that the initiator sent, if it was kept.
pub(crate) fn data_out(record: &CommandRecord) -> Option<&[u8]> {
    moved(record, DataDirection::Out)
}

/// The number of captured and of transferred bytes, if not all of the data was captured.
pub(crate) fn cut(record: &CommandRecord) -> Option<(usize, u32)> {
    let data = record.data.as_ref()?;
    let captured = data.bytes.len().min(MOST);
    (captured < data.transferred as usize).then_some((captured, data.transferred))
}

fn moved(record: &CommandRecord, wanted: DataDirection) -> Option<&[u8]> {
    let data = record.data.as_ref().filter(|_| direction(record) == wanted)?;
    Some(&data.bytes[..data.bytes.len().min(MOST)])
}
