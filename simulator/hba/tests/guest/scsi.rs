//! virtio-scsi requests in guest memory, as a Linux guest builds them.

use vm_memory::{Bytes, GuestAddress, GuestMemory};

use super::ring::{Part, readable, writable};

pub const HEADER: usize = 51;
pub const RESPONSE: usize = 108;

/// The memory of one request: 64 KiB from `base` for the header, the response and the data.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub base: u64,
}

impl Place {
    pub const BYTES: u64 = 0x1_0000;

    pub fn response_address(self) -> u64 {
        self.base + 0x100
    }

    pub fn data(self) -> u64 {
        self.base + 0x1000
    }

    /// The buffers of a command with `data_in` bytes of data-in.
    pub fn reading(self, data_in: usize) -> [Part; 3] {
        [
            readable(self.base, HEADER),
            writable(self.response_address(), RESPONSE),
            writable(self.data(), data_in),
        ]
    }

    /// The buffers of a command with `data_out` bytes of data-out.
    pub fn writing(self, data_out: usize) -> [Part; 3] {
        [
            readable(self.base, HEADER),
            readable(self.data(), data_out),
            writable(self.response_address(), RESPONSE),
        ]
    }

    /// The buffers of a command without data.
    pub fn plain(self) -> [Part; 2] {
        [readable(self.base, HEADER), writable(self.response_address(), RESPONSE)]
    }

    /// Writes a request's header, and fills the memory for the response with garbage.
    pub fn command<M: GuestMemory>(self, memory: &M, lun: [u8; 8], tag: u64, cdb: &[u8]) {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&lun);
        header[8..16].copy_from_slice(&tag.to_le_bytes());
        header[19..19 + cdb.len()].copy_from_slice(cdb);
        memory.write_slice(&header, GuestAddress(self.base)).expect("the place is in memory");
        memory
            .write_slice(&[0xEE; RESPONSE], GuestAddress(self.response_address()))
            .expect("the place is in memory");
    }

    pub fn response<M: GuestMemory>(self, memory: &M) -> Response {
        let mut bytes = [0; RESPONSE];
        memory
            .read_slice(&mut bytes, GuestAddress(self.response_address()))
            .expect("the place is in memory");
        Response::decode(&bytes)
    }

    pub fn put_data<M: GuestMemory>(self, memory: &M, bytes: &[u8]) {
        memory.write_slice(bytes, GuestAddress(self.data())).expect("the place is in memory");
    }

    pub fn take_data<M: GuestMemory>(self, memory: &M, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        memory.read_slice(&mut bytes, GuestAddress(self.data())).expect("the place is in memory");
        bytes
    }
}

/// The response to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    pub code: u8,
    pub status: u8,
    pub residual: u32,
    /// The sense key, ASC and ASCQ.
    pub sense: Option<(u8, u8, u8)>,
}

impl Response {
    pub const GOOD: Response = Response { code: 0, status: 0, residual: 0, sense: None };

    fn decode(bytes: &[u8; RESPONSE]) -> Self {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        Response {
            code: bytes[11],
            status: bytes[10],
            residual: word(4),
            sense: (word(0) >= 14).then(|| (bytes[14] & 0x0F, bytes[24], bytes[25])),
        }
    }
}

/// A request's LUN field as a Linux guest writes it: flat space addressing.
pub fn lun(target: u8, lun: u16) -> [u8; 8] {
    [1, target, 0x40 | (lun >> 8) as u8, lun as u8, 0, 0, 0, 0]
}

pub fn inquiry(allocation: u8) -> [u8; 6] {
    [0x12, 0, 0, 0, allocation, 0]
}

pub const TEST_UNIT_READY: [u8; 6] = [0; 6];

pub fn read10(block: u32, blocks: u16) -> [u8; 10] {
    transfer10(0x28, block, blocks)
}

pub fn write10(block: u32, blocks: u16) -> [u8; 10] {
    transfer10(0x2A, block, blocks)
}

fn transfer10(code: u8, block: u32, blocks: u16) -> [u8; 10] {
    let (b, n) = (block.to_be_bytes(), blocks.to_be_bytes());
    [code, 0, b[0], b[1], b[2], b[3], 0, n[0], n[1], 0]
}

pub fn report_luns(allocation: u32) -> [u8; 12] {
    let a = allocation.to_be_bytes();
    [0xA0, 0, 0, 0, 0, 0, a[0], a[1], a[2], a[3], 0, 0]
}

/// A task management request.
pub fn tmf(subtype: u32, lun: [u8; 8], tag: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[4..8].copy_from_slice(&subtype.to_le_bytes());
    bytes[8..16].copy_from_slice(&lun);
    bytes[16..24].copy_from_slice(&tag.to_le_bytes());
    bytes
}
