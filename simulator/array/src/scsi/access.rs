//! Carrying out medium accesses: data is copied directly between the store and the initiator's
//! buffers.

use std::ops::Range;

use super::{
    format, lba_status,
    medium::{Access, Compare, Fill, Span},
    vpd::MAX_UNMAP_DESCRIPTORS,
};
use crate::{
    completion::Stop,
    encoding::{be16, be32, be64},
    reservoir::WhenFull,
    sense::Sense,
    store::{BeyondEnd, NotWritten, Replaced, Store},
    wire::Wire,
};

/// The maximum block length in bytes.
const MAX_BLOCK: usize = 4096;
/// The lengths of the header of an UNMAP parameter list and of a block descriptor (SBC-3 5.28.2).
const UNMAP_HEADER: usize = 8;
const UNMAP_DESCRIPTOR: usize = 16;
const UNMAP_LIST: usize = UNMAP_HEADER + MAX_UNMAP_DESCRIPTORS * UNMAP_DESCRIPTOR;

impl From<BeyondEnd> for Stop {
    /// The LUN became smaller after the access was checked.
    fn from(_: BeyondEnd) -> Self {
        Stop::Check(Sense::LBA_OUT_OF_RANGE)
    }
}

impl From<NotWritten> for Stop {
    fn from(why: NotWritten) -> Self {
        match why {
            NotWritten::BeyondEnd => BeyondEnd.into(),
            NotWritten::Full(WhenFull::Space) => Stop::Check(Sense::SPACE_ALLOCATION_FAILED),
            NotWritten::Full(WhenFull::Medium | WhenFull::End) => Stop::Check(Sense::WRITE_ERROR),
        }
    }
}

/// Carries out a medium access that passed every check.
pub(crate) fn carry_out(
    access: Access,
    store: &Store,
    block_bytes: u32,
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let bytes = |span: Span| span.bytes(block_bytes);
    let block = block_bytes as usize;
    match access {
        Access::Read(span) => store.read(bytes(span), |data| wire.put(data))?,
        Access::Write(span) => store.write(bytes(span), |data| wire.take(data))?,
        Access::Verify(span, Compare::Nothing) => Ok(store.read(bytes(span), |_| ())?),
        Access::Verify(span, Compare::Blocks) => store.read(bytes(span), |data| {
            data.chunks(block).try_for_each(|data| compare(data, wire))
        })?,
        Access::Verify(span, Compare::OneBlock) => compare_one(store, bytes(span), block, wire),
        Access::CompareAndWrite(span) => compare_and_write(store, bytes(span), wire),
        Access::Or(span) => or(store, bytes(span), wire),
        Access::Cache => Ok(()),
        Access::Status(span, allocation) => {
            lba_status::report(store, span.lba, block_bytes, allocation, wire)
        }
        Access::Format(len) => format::format(store, len, wire),
        Access::WriteSame(span, fill) => write_same(store, bytes(span), fill, block, wire),
        Access::Unmap(len) => unmap(store, len, block_bytes, wire),
    }
}

/// Compares a block with the next block from the initiator. Ends with MISCOMPARE if they differ.
fn compare(data: &[u8], wire: &mut Wire<'_>) -> Result<(), Stop> {
    let mut offered = [0; MAX_BLOCK];
    let offered = &mut offered[..data.len()];
    wire.take(offered)?;
    if offered == data { Ok(()) } else { Err(Sense::MISCOMPARE.into()) }
}

/// Compares every block with the single block from the initiator.
fn compare_one(
    store: &Store,
    range: Range<u64>,
    block: usize,
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let mut offered = [0; MAX_BLOCK];
    let offered = &mut offered[..block];
    wire.take(offered)?;
    let same = store.read(range, |data| data.chunks(block).all(|data| data == offered))?;
    if same { Ok(()) } else { Err(Sense::MISCOMPARE.into()) }
}

/// COMPARE AND WRITE (SBC-3 5.2). No other access comes between the comparison and the write.
fn compare_and_write(store: &Store, range: Range<u64>, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let len = (range.end - range.start) as usize;
    let mut offered = vec![0; 2 * len];
    wire.take(&mut offered)?;
    let (expected, new) = offered.split_at(len);
    match store.replace(range, expected, new)? {
        Replaced::All => Ok(()),
        Replaced::DiffersAt(at) => Err(Sense::MISCOMPARE.with_information(at as u32).into()),
    }
}

/// ORWRITE (SBC-3 5.10).
fn or(store: &Store, range: Range<u64>, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let mut offered = vec![0; (range.end - range.start) as usize];
    wire.take(&mut offered)?;
    Ok(store.write(range, |data| {
        data.iter_mut().zip(&offered).for_each(|(byte, more)| *byte |= more);
    })?)
}

fn write_same(
    store: &Store,
    range: Range<u64>,
    fill: Fill,
    block: usize,
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let mut pattern = [0; MAX_BLOCK];
    let pattern = &mut pattern[..block];
    if fill == Fill::Block {
        wire.take(pattern)?;
    }
    if pattern.iter().all(|byte| *byte == 0) {
        return Ok(store.zero(range)?);
    }
    Ok(store.write(range, |data| {
        data.chunks_mut(block).for_each(|data| data.copy_from_slice(&pattern[..data.len()]));
    })?)
}

/// UNMAP (SBC-3 5.28). Checks the whole parameter list before it zeroes any block.
fn unmap(store: &Store, len: u16, block_bytes: u32, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let len = usize::from(len);
    if len == 0 {
        return Ok(());
    }
    if len < UNMAP_HEADER {
        return Err(Sense::PARAMETER_LIST_LENGTH.into());
    }
    let mut list = [0; UNMAP_LIST];
    if len > list.len() {
        return Err(Sense::parameter_field(2).into());
    }
    let list = &mut list[..len];
    wire.take(list)?;
    let named = usize::from(be16(list, 2)).min(len - UNMAP_HEADER);
    let descriptors = list[UNMAP_HEADER..UNMAP_HEADER + named].chunks_exact(UNMAP_DESCRIPTOR);
    let ranges = descriptors.map(|descriptor| {
        let (lba, blocks) = (be64(descriptor, 0), u64::from(be32(descriptor, 8)));
        let start = lba.checked_mul(block_bytes.into())?;
        Some(start..start.checked_add(blocks * u64::from(block_bytes))?)
    });
    for range in ranges.clone() {
        store.read(range.ok_or(BeyondEnd)?, |_| ())?;
    }
    for range in ranges.flatten() {
        store.zero(range)?;
    }
    Ok(())
}
