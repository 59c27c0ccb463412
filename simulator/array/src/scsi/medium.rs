//! Parsing and checking medium accesses (SBC-3 clause 5).

use std::ops::Range;

use super::format;
use crate::{
    completion::Stop,
    encoding::{be16, be32, be64},
    operation::{Kind, Operation},
    sense::Sense,
    unit::Unit,
    wire::Wire,
};

/// A range of consecutive blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) lba: u64,
    pub(crate) blocks: u64,
}

impl Span {
    /// The byte range in the store.
    pub(crate) fn bytes(self, block_bytes: u32) -> Range<u64> {
        let start = self.lba.saturating_mul(block_bytes.into());
        start..start.saturating_add(self.blocks.saturating_mul(block_bytes.into()))
    }

    /// Whether the span contains a block of the inclusive range from `first` to `last`.
    pub(crate) fn overlaps(&self, first: u64, last: u64) -> bool {
        self.blocks > 0 && self.lba <= last && self.lba.saturating_add(self.blocks - 1) >= first
    }
}

/// What VERIFY compares the blocks with (SBC-3 5.33).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// No comparison: the blocks must only exist.
    Nothing,
    /// The same number of blocks from the initiator.
    Blocks,
    /// A single block from the initiator, which is compared with every block.
    OneBlock,
}

/// A medium access that passed every check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read(Span),
    Write(Span),
    Verify(Span, Compare),
    /// Writes the second half of the data if the first half is what the blocks contain.
    CompareAndWrite(Span),
    /// Writes what the blocks contain OR what the initiator sends.
    Or(Span),
    /// Nothing to do: there is no cache.
    Cache,
    /// Reports which blocks from here on are mapped, in at most this number of bytes.
    Status(Span, u32),
    /// Zeroes all blocks. A parameter list of this length comes first.
    Format(u16),
    /// Fills every block of the span.
    WriteSame(Span, Fill),
    /// Zeroes the blocks that a parameter list of this length names.
    Unmap(u16),
}

/// The data that WRITE SAME writes to each block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The block that the initiator sends.
    Block,
    /// Zeros; the initiator sends no data (NDOB).
    Zeros,
}

/// The maximum number of blocks in an access, as VPD page B0h reports. It limits the time that a
/// single command can take.
pub(super) const MAX_BLOCKS: u32 = 1 << 16;
/// The maximum number of blocks in COMPARE AND WRITE, as VPD page B0h reports: all that its CDB can name.
pub(super) const MAX_COMPARED: u8 = u8::MAX;

/// The blocks that a CDB addresses; `None` for an operation without blocks. If a length of 0 means
/// "to the end of the LUN", the number of blocks is `u64::MAX`.
pub(crate) fn span(op: &Operation, cdb: &[u8]) -> Option<Span> {
    let (lba, blocks) = match (op.kind, op.cdb_len()) {
        (Kind::Unmap | Kind::FormatUnit, _) => return None,
        (Kind::CompareAndWrite, _) => (be64(cdb, 2), cdb[13].into()),
        (Kind::GetLbaStatus, _) => (be64(cdb, 2), 1),
        (Kind::Read | Kind::Write, 6) => {
            // A transfer length of 0 means 256 blocks (SBC-3 5.11).
            let blocks = if cdb[4] == 0 { 256 } else { u64::from(cdb[4]) };
            (u64::from(be32(cdb, 0) & 0x001f_ffff), blocks)
        }
        _ if op.class != crate::operation::Class::Medium => return None,
        (_, 10) => (be32(cdb, 2).into(), be16(cdb, 7).into()),
        (_, 12) => (be32(cdb, 2).into(), be32(cdb, 6).into()),
        _ => (be64(cdb, 2), be32(cdb, 10).into()),
    };
    let to_the_end = blocks == 0 && op.kind.is_for_cache();
    let blocks = if to_the_end { u64::MAX } else { blocks };
    Some(Span { lba, blocks })
}

/// Checks a medium access against the LUN and the size of the initiator's buffers. Transfers no
/// data.
pub(crate) fn plan(
    unit: &Unit,
    op: &Operation,
    cdb: &[u8],
    wire: &Wire<'_>,
) -> Result<Access, Stop> {
    check_flags(op, cdb)?;
    let Some(span) = span(op, cdb) else {
        refuse_write(unit, op)?;
        let access = match op.kind {
            Kind::FormatUnit => Access::Format(format::list_len(cdb)),
            _ => Access::Unmap(be16(cdb, 7)),
        };
        if let Access::Format(len) | Access::Unmap(len) = access {
            wire.expect_out(len.into())?;
        }
        return Ok(access);
    };
    let span = bounded(unit, span)?;
    refuse_write(unit, op)?;
    check_length(op, span)?;
    let (block, all) = (u64::from(unit.block_bytes), span.blocks * u64::from(unit.block_bytes));
    let access = match op.kind {
        Kind::Read => Access::Read(span),
        Kind::Write | Kind::WriteAndVerify => Access::Write(span),
        Kind::Verify => Access::Verify(span, compare(cdb)?),
        Kind::CompareAndWrite => Access::CompareAndWrite(span),
        Kind::OrWrite => Access::Or(span),
        Kind::SynchronizeCache | Kind::Prefetch => Access::Cache,
        Kind::GetLbaStatus => Access::Status(span, be32(cdb, 10)),
        _ if op.cdb_len() == 16 && cdb[1] & 0x01 != 0 => Access::WriteSame(span, Fill::Zeros),
        _ => Access::WriteSame(span, Fill::Block),
    };
    match access {
        Access::Read(_) => wire.expect_in(all)?,
        Access::Write(_) | Access::Or(_) | Access::Verify(_, Compare::Blocks) => {
            wire.expect_out(all)?;
        }
        Access::CompareAndWrite(_) => wire.expect_out(2 * all)?,
        Access::Verify(_, Compare::OneBlock) | Access::WriteSame(_, Fill::Block) => {
            wire.expect_out(block)?;
        }
        _ => {}
    }
    Ok(access)
}

/// Refuses protection information, which the LUN does not have, and anchored LBAs.
fn check_flags(op: &Operation, cdb: &[u8]) -> Result<(), Sense> {
    let refused = match op.kind {
        Kind::WriteSame => 0xf0,
        Kind::Unmap => 0x01,
        // FMTPINFO.
        Kind::FormatUnit => 0xc0,
        kind if kind.is_for_cache() => 0x00,
        Kind::GetLbaStatus => 0x00,
        // Only a comparison with the blocks that are sent can be asked for (SBC-3 5.42).
        Kind::WriteAndVerify => 0xe4,
        _ if op.cdb_len() == 6 => 0x00,
        _ => 0xe0,
    };
    if cdb[1] & refused != 0 { Err(Sense::cdb_field(1)) } else { Ok(()) }
}

/// Refuses more blocks than VPD page B0h permits, and WRITE SAME without blocks (WSNZ).
fn check_length(op: &Operation, span: Span) -> Result<(), Sense> {
    let limited = !op.kind.is_for_cache();
    let none = op.kind == Kind::WriteSame && span.blocks == 0;
    if none || limited && span.blocks > MAX_BLOCKS.into() {
        return Err(Sense::cdb_field(if op.cdb_len() == 10 { 7 } else { op.cdb_len() as u16 - 6 }));
    }
    Ok(())
}

fn compare(cdb: &[u8]) -> Result<Compare, Sense> {
    match cdb[1] >> 1 & 0x03 {
        0 => Ok(Compare::Nothing),
        1 => Ok(Compare::Blocks),
        3 => Ok(Compare::OneBlock),
        _ => Err(Sense::cdb_field(1)),
    }
}

fn refuse_write(unit: &Unit, op: &Operation) -> Result<(), Sense> {
    if op.kind.writes() && unit.read_only { Err(Sense::WRITE_PROTECTED) } else { Ok(()) }
}

/// Replaces "to the end of the LUN" with the actual length. Fails if the LUN does not have all
/// blocks of the span.
fn bounded(unit: &Unit, span: Span) -> Result<Span, Sense> {
    let room = unit.blocks.checked_sub(span.lba).ok_or(Sense::LBA_OUT_OF_RANGE)?;
    match span.blocks {
        u64::MAX if room > 0 => Ok(Span { lba: span.lba, blocks: room }),
        blocks if blocks <= room => Ok(span),
        _ => Err(Sense::LBA_OUT_OF_RANGE),
    }
}
