//! The iSCSI PDUs of commands, responses and task management (RFC 7143 clause 11).
//!
//! A PDU is a basic header segment of 48 bytes, which additional headers and data can follow. All
//! of its numbers are big-endian.

mod command;
mod data;
mod function;

pub(crate) use command::{command, has_response, response};
pub(crate) use data::{cut, data_in, data_out, has_data_in};
pub(crate) use function::{function, function_response};

use sansim_array::{Addressing, Lun};

use crate::{path::Path, task_tag::TaskTag};

/// The length in bytes of a basic header segment.
const HEADER: usize = 48;

/// The number of further commands that the target would accept, for MaxCmdSN.
const MORE_COMMANDS: u32 = 256;

/// A NOP-Out that asks for no answer (clause 11.18): a packet without a command.
pub(crate) fn nothing(path: &Path) -> Vec<u8> {
    const NOP_OUT: u8 = 0x00;
    let mut pdu = header(NOP_OUT, 0x80, TaskTag::NONE);
    put(&mut pdu, 20, TaskTag::NONE.0);
    put_request_numbers(&mut pdu, path.cmd_sn, path.stat_sn);
    pdu.to_vec()
}

/// A basic header segment of which all other fields are 0.
fn header(opcode: u8, flags: u8, tag: TaskTag) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[0] = opcode;
    header[1] = flags;
    put(&mut header, 16, tag.0);
    header
}

fn put(header: &mut [u8; HEADER], at: usize, number: u32) {
    header[at..at + 4].copy_from_slice(&number.to_be_bytes());
}

/// Writes the sequence numbers of a request: CmdSN and ExpStatSN.
fn put_request_numbers(header: &mut [u8; HEADER], cmd_sn: u32, stat_sn: u32) {
    put(header, 24, cmd_sn);
    put(header, 28, stat_sn);
}

/// Writes the sequence numbers of a response: StatSN, ExpCmdSN and MaxCmdSN.
fn put_response_numbers(header: &mut [u8; HEADER], cmd_sn: u32, stat_sn: u32) {
    put(header, 24, stat_sn);
    put(header, 28, cmd_sn);
    put(header, 32, cmd_sn.wrapping_add(MORE_COMMANDS - 1));
}

/// The LUN field: a single level LUN structure (SAM-5 4.7), as in virtio-scsi.
fn lun_field(lun: Lun) -> [u8; 8] {
    Addressing::Peripheral.encode(lun).field()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lun_has_the_addressing_method_of_its_number() {
        let field = |lun| lun_field(Lun(lun))[..2].to_vec();
        assert_eq!(field(5), [0, 5]);
        assert_eq!(field(0x123), [0x41, 0x23]);
        assert_eq!(field(0xc101), [0xc1, 0x01]);
    }
}
