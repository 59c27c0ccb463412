//! A LUN, as it is asked for.

use crate::ids::{ControllerId, Lun};

/// A LUN. It starts full of zeros and costs memory only where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunConfig {
    /// Its number, behind every port.
    pub lun: Lun,
    /// Its size: a whole number of blocks, at most [`LunConfig::MAX_BYTES`].
    pub bytes: u64,
    /// 512 or 4096.
    pub block_bytes: u32,
    /// Who serves it at first.
    pub owner: ControllerId,
    /// Who should serve it when all is well.
    pub preferred: ControllerId,
    /// The name its operator gave it: at most 30 UTF-16 units.
    pub label: String,
    /// Whether it refuses writes.
    pub read_only: bool,
}

impl LunConfig {
    /// The largest LUN: 64 TiB.
    pub const MAX_BYTES: u64 = 64 << 40;
    /// The most LUNs an array can have.
    pub const MAX_COUNT: usize = 256;
    /// The highest number a LUN can have: what flat addressing holds (SAM-5 4.7.7.4).
    pub const MAX_LUN: u16 = 0x3fff;
}
