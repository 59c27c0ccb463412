//! READ CAPACITY (SBC-3 5.15, 5.16).

use super::{Stop, be32, be64, wire::Wire};
use crate::{sense::Sense, unit::Unit};

/// Answers READ CAPACITY(10): the last block, or all ones if that needs more than 32 bits.
pub(crate) fn read_capacity_10(unit: &Unit, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let partial = cdb[8] & 0x01 != 0;
    if !partial && be32(cdb, 2) != 0 {
        return Err(Sense::cdb_field(2).into());
    }
    let last = u32::try_from(unit.blocks - 1).unwrap_or(u32::MAX);
    let mut data = [0; 8];
    data[..4].copy_from_slice(&last.to_be_bytes());
    data[4..].copy_from_slice(&unit.block_bytes.to_be_bytes());
    wire.send(&data, data.len())
}

/// Answers READ CAPACITY(16): thin, and what is unmapped reads as zeros.
pub(crate) fn read_capacity_16(unit: &Unit, cdb: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let partial = cdb[14] & 0x01 != 0;
    if !partial && be64(cdb, 2) != 0 {
        return Err(Sense::cdb_field(2).into());
    }
    let mut data = [0; 32];
    data[..8].copy_from_slice(&(unit.blocks - 1).to_be_bytes());
    data[8..12].copy_from_slice(&unit.block_bytes.to_be_bytes());
    data[14] = 0xc0; // LBPME, LBPRZ.
    wire.send(&data, be32(cdb, 10) as usize)
}
