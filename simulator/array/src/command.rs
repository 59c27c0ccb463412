//! What arrives: a command descriptor block and the initiator's data buffers.

use std::{fmt, ops::Deref};

use crate::ids::{Lun, Nexus};

/// One SCSI command as it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Who sent it, and through which port.
    pub nexus: Nexus,
    /// The addressed logical unit, mapped or not.
    pub lun: Lun,
    /// The initiator's name for the command; ABORT TASK and QUERY TASK name it again.
    pub tag: u64,
    /// The command descriptor block; bytes after what the operation code calls for are ignored.
    pub cdb: &'a [u8],
}

/// Guest memory that a descriptor names is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the initiator's buffer is not in its memory")]
pub struct DmaError;

/// The initiator's data buffers of one command: guest memory in the HBA, byte vectors in a test.
pub trait Buffers {
    /// How many bytes the initiator can take, all told.
    fn data_in_len(&self) -> usize;

    /// How many bytes the initiator offers, all told.
    fn data_out_len(&self) -> usize;

    /// Appends to what was put before, and says how many bytes fitted. Fewer than were given is an
    /// overflow, not an error.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, DmaError>;

    /// Takes the next bytes that the initiator offers, and says how many there were.
    fn take(&mut self, into: &mut [u8]) -> Result<usize, DmaError>;
}

/// A command descriptor block as it came, kept without the heap: at most 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cdb {
    bytes: [u8; Cdb::MAX],
    len: u8,
}

impl Cdb {
    /// The longest CDB that is kept; virtio-scsi carries no longer ones.
    pub const MAX: usize = 32;

    /// The first 32 of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let len = bytes.len().min(Self::MAX);
        let mut kept = [0; Self::MAX];
        kept[..len].copy_from_slice(&bytes[..len]);
        Cdb { bytes: kept, len: len as u8 }
    }

    /// It, with zeros behind it up to 32 bytes.
    pub(crate) fn padded(&self) -> &[u8; Self::MAX] {
        &self.bytes
    }
}

impl Deref for Cdb {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::LowerHex for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cdb({self:x})")
    }
}
