//! Medium accesses with silent data corruption.

use super::{
    access::carry_out as faithfully,
    medium::{Access, Span},
};
use crate::{completion::Stop, store::Store, wire::Wire};

/// How the data of a command is corrupted without an error status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// One bit of the first block is flipped: of a read on its way to the initiator, of a write in
    /// the store.
    BitFlip,
    /// A write completes with GOOD but is not carried out. Later reads return the previous data.
    DroppedWrite,
    /// A write goes to the blocks after the addressed ones, or to those before them at the end of
    /// the LUN.
    MisdirectedWrite,
    /// A read returns the data from before the last write to the blocks, as from an incoherent
    /// cache.
    StaleRead,
    /// A write is answered GOOD, but only its first blocks land, or none: as after a loss of power.
    TornWrite,
}

/// Carries out a checked medium access with the given corruption. Accesses that the corruption does
/// not apply to are carried out correctly.
pub(crate) fn carry_out(
    access: Access,
    store: &Store,
    block_bytes: u32,
    corruption: Option<Corruption>,
    random: u64,
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    match (access, corruption) {
        (Access::Read(span), Some(Corruption::BitFlip)) => {
            let mut data = store.read(span.bytes(block_bytes), <[u8]>::to_vec)?;
            flip(&mut data, block_bytes, random);
            wire.put(&data)
        }
        (Access::Write(span), Some(Corruption::BitFlip)) => {
            let flipped = |data: &mut [u8]| {
                let taken = wire.take(data);
                flip(data, block_bytes, random);
                taken
            };
            store.write(span.bytes(block_bytes), flipped)?
        }
        (Access::Write(span), Some(Corruption::DroppedWrite)) => {
            discard(span.blocks, block_bytes, wire)
        }
        (Access::Write(span), Some(Corruption::MisdirectedWrite)) => {
            let beside = beside(span, store.len() / u64::from(block_bytes));
            faithfully(Access::Write(beside), store, block_bytes, wire)
        }
        (Access::Read(span), Some(Corruption::StaleRead)) => {
            store.read_before(span.bytes(block_bytes), |data| wire.put(data))?
        }
        (Access::Write(span), Some(Corruption::TornWrite)) => {
            let landed = random % span.blocks.max(1);
            let first = Span { blocks: landed, ..span };
            faithfully(Access::Write(first), store, block_bytes, wire)?;
            discard(span.blocks - landed, block_bytes, wire)
        }
        _ => faithfully(access, store, block_bytes, wire),
    }
}

/// Takes the data of `blocks` blocks from the initiator and discards it.
fn discard(blocks: u64, block_bytes: u32, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let mut block = vec![0; block_bytes as usize];
    (0..blocks).try_for_each(|_| wire.take(&mut block))
}

/// Flips one bit of the first block.
fn flip(data: &mut [u8], block_bytes: u32, random: u64) {
    let bit = random % (u64::from(block_bytes) * 8);
    if let Some(byte) = data.get_mut((bit / 8) as usize) {
        *byte ^= 1 << (bit % 8);
    }
}

/// The adjacent blocks after a span, or before it at the end of the LUN.
fn beside(span: Span, blocks: u64) -> Span {
    let behind = span.lba.saturating_add(span.blocks);
    let fits = behind.saturating_add(span.blocks) <= blocks;
    let lba = if fits { behind } else { span.lba.saturating_sub(span.blocks) };
    Span { lba, ..span }
}
