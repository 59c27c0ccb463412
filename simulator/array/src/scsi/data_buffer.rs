//! READ BUFFER(10) and WRITE BUFFER (SPC-4 6.17, 6.49): a data buffer and an echo buffer for each nexus, by
//! which tools try a path. There is no firmware to download.

use crate::{
    completion::Stop,
    sense::Sense,
    unit::data_buffers::{DataBuffers, SIZE, Written},
    wire::Wire,
};

/// What a buffer contains that was never written.
const NOTHING: [u8; SIZE] = [0; SIZE];

/// The modes (SPC-4 tables 209 and 296).
const DATA: u8 = 0x02;
const DESCRIPTOR: u8 = 0x03;
const ECHO: u8 = 0x0a;
const ECHO_DESCRIPTOR: u8 = 0x0b;

/// Mode, buffer offset, and length of a CDB.
fn parse(cdb: &[u8]) -> (u8, usize, usize) {
    let be24 =
        |at: usize| cdb[at..at + 3].iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
    (cdb[1] & 0x1f, be24(3), be24(6))
}

pub(crate) fn read_buffer(
    buffers: &DataBuffers,
    cdb: &[u8],
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let (mode, offset, allocation) = parse(cdb);
    let data = if buffers.data().is_empty() { &NOTHING[..] } else { buffers.data() };
    match mode {
        DATA if cdb[2] != 0 => Err(Sense::cdb_field(2).into()),
        DATA => {
            let data = data.get(offset..).ok_or(Sense::cdb_field(3))?;
            wire.send(data, allocation)
        }
        // OFFSET BOUNDARY 0: any. A buffer that is not there has a capacity of 0.
        DESCRIPTOR => {
            let capacity = if cdb[2] == 0 { SIZE as u32 } else { 0 };
            wire.send(&capacity.to_be_bytes(), allocation)
        }
        ECHO => match buffers.echo() {
            Some(echo) => wire.send(echo, allocation),
            None => Err(Sense::COMMAND_SEQUENCE.into()),
        },
        // EBOS: another nexus does not overwrite it.
        ECHO_DESCRIPTOR => wire.send(&(0x0100_0000 | SIZE as u32).to_be_bytes(), allocation),
        _ => Err(Sense::cdb_field(1).into()),
    }
}

pub(crate) fn write_buffer(cdb: &[u8], wire: &mut Wire<'_>) -> Result<Written, Stop> {
    let (mode, offset, len) = parse(cdb);
    let room = match mode {
        DATA if cdb[2] != 0 => return Err(Sense::cdb_field(2).into()),
        DATA => SIZE.checked_sub(offset).ok_or(Sense::cdb_field(3))?,
        ECHO => SIZE,
        _ => return Err(Sense::cdb_field(1).into()),
    };
    if len > room {
        return Err(Sense::cdb_field(6).into());
    }
    let bytes = wire.receive(len as u16)?;
    Ok(match mode {
        ECHO => Written::Echo(bytes),
        _ => Written::Data { offset, bytes },
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    fn buffer(opcode: u8, mode: u8, offset: u16, len: u16) -> [u8; 10] {
        let ([o1, o0], [l1, l0]) = (offset.to_be_bytes(), len.to_be_bytes());
        [opcode, mode, 0, 0, o1, o0, 0, l1, l0, 0]
    }

    #[test]
    fn what_is_written_is_read() {
        let rig = Rig::ready();
        assert_eq!(rig.get(A, LUN0, &buffer(0x3c, 3, 0, 4), 4), [0, 0, 0x10, 0]);
        assert_eq!(rig.get(A, LUN0, &buffer(0x3c, 2, 4000, 255), 255), [0; 96]);
        rig.put(A, LUN0, &buffer(0x3b, 2, 4092, 4), b"abcd");
        assert_eq!(rig.get(A, LUN0, &buffer(0x3c, 2, 4090, 255), 255), *b"\0\0abcd");
        assert_eq!(rig.get(B, LUN0, &buffer(0x3c, 2, 4090, 255), 255), [0; 6], "it is A's");
    }

    #[test]
    fn the_echo_buffer_is_read_after_it_was_written() {
        let rig = Rig::ready();
        assert_eq!(rig.get(A, LUN0, &buffer(0x3c, 0x0b, 0, 4), 4), [1, 0, 0x10, 0]);
        assert_eq!(rig.sense(A, LUN0, &buffer(0x3c, 0x0a, 0, 9), &[]), "05/2c/00");
        rig.put(A, LUN0, &buffer(0x3b, 0x0a, 0, 3), b"one");
        assert_eq!(rig.get(A, LUN0, &buffer(0x3c, 0x0a, 0, 9), 9), *b"one");
    }

    #[test]
    fn what_is_beyond_the_buffer_and_firmware_are_refused() {
        let rig = Rig::ready();
        let other = [0x3c, 2, 1, 0, 0, 0, 0, 0, 4, 0];
        for cdb in [
            buffer(0x3c, 2, 4097, 1),
            buffer(0x3c, 0, 0, 4),
            buffer(0x3b, 2, 4095, 2),
            buffer(0x3b, 2, 4097, 0),
            buffer(0x3b, 0x0a, 0, 4097),
            buffer(0x3b, 5, 0, 4),
            other,
        ] {
            assert_eq!(rig.sense(A, LUN0, &cdb, &[]), "05/24/00", "{cdb:x?}");
        }
    }
}
