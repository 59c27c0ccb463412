//! A command as it arrives: its descriptor block and the initiator's data buffers.

use std::{fmt, ops::Deref};

use crate::ids::{Lun, Nexus};

/// A SCSI command as the HBA passes it to the array.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// The initiator port and the target port.
    pub nexus: Nexus,
    /// The addressed logical unit. It need not be mapped.
    pub lun: Lun,
    /// The command identifier that the initiator chose. ABORT TASK and QUERY TASK refer to it.
    pub tag: u64,
    /// The command descriptor block. Bytes beyond the length that the operation code implies are
    /// ignored.
    pub cdb: &'a [u8],
}

/// A buffer descriptor refers to guest memory that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the initiator's buffer is not in its memory")]
pub struct DmaError;

/// The initiator's data buffers for one command: guest memory in the HBA, byte vectors in tests.
pub trait Buffers {
    /// The total size of the data-in buffer, in bytes.
    fn data_in_len(&self) -> usize;

    /// The total size of the data-out buffer, in bytes.
    fn data_out_len(&self) -> usize;

    /// Appends `bytes` to the data-in buffer and returns the number of bytes that fitted. If they
    /// do not all fit, that is an overrun, not an error.
    ///
    /// # Errors
    ///
    /// Returns a [`DmaError`] if the guest memory does not exist.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, DmaError>;

    /// Reads the next bytes of the data-out buffer and returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns a [`DmaError`] if the guest memory does not exist.
    fn take(&mut self, into: &mut [u8]) -> Result<usize, DmaError>;
}

/// A command descriptor block of at most 32 bytes, stored without a heap allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cdb {
    bytes: [u8; Cdb::MAX],
    len: u8,
}

impl Cdb {
    /// The maximum length in bytes. virtio-scsi does not carry longer CDBs.
    pub const MAX: usize = 32;

    /// Stores the first [`Cdb::MAX`] bytes of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let len = bytes.len().min(Self::MAX);
        let mut kept = [0; Self::MAX];
        kept[..len].copy_from_slice(&bytes[..len]);
        Cdb { bytes: kept, len: len as u8 }
    }

    /// The CDB, padded with zeros to 32 bytes.
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
