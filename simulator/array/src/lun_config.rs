//! The configuration of a LUN.

use crate::ids::{ControllerId, Lun};

/// The configuration of a LUN. A new LUN reads as zeros, and uses memory only for what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunConfig {
    /// The LUN number, which is the same behind every port.
    pub lun: Lun,
    /// The size in bytes: a multiple of the block length, at most [`LunConfig::MAX_BYTES`].
    pub bytes: u64,
    /// The logical block length in bytes: 512 or 4096.
    pub block_bytes: u32,
    /// The controller that owns the LUN at the start.
    pub owner: ControllerId,
    /// The controller that should own the LUN in normal operation.
    pub preferred: ControllerId,
    /// The user-assigned label: at most 30 UTF-16 code units.
    pub label: String,
    /// Whether the LUN is write-protected.
    pub read_only: bool,
}

impl LunConfig {
    /// The maximum size of a LUN in bytes: 64 TiB.
    pub const MAX_BYTES: u64 = 64 << 40;
    /// The maximum number of LUNs in an array.
    pub const MAX_COUNT: usize = 256;
    /// The highest LUN number: the maximum of flat space addressing (SAM-5 4.7.7.4).
    pub const MAX_LUN: u16 = 0x3fff;
}
