//! Medium accesses that go wrong without anybody's saying so.

use super::{
    access::{bytes, carry_out as faithfully},
    medium::{Access, Span},
};
use crate::{completion::Stop, store::Store, wire::Wire};

/// How data goes wrong without anybody's saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Corruption {
    /// One bit of the first block is another one: on its way to the initiator, or in the store.
    BitFlip,
    /// A write is answered GOOD and not done, so that later reads find what was there before.
    DroppedWrite,
    /// A write lands in the blocks behind those it was for, or before them at the LUN's end.
    MisdirectedWrite,
    /// A read finds what was there before the blocks were written the last time, as from a cache that
    /// was not told.
    StaleRead,
    /// A write is answered GOOD, but only its first blocks land, or none: as after a loss of power.
    TornWrite,
}

/// Carries out a checked medium access in the way that a fault rule says. What the corruption is not
/// about is done faithfully.
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
            let mut data = store.read(bytes(span, block_bytes), <[u8]>::to_vec)?;
            flip(&mut data, block_bytes, random);
            wire.put(&data)
        }
        (Access::Write(span), Some(Corruption::BitFlip)) => {
            let flipped = |data: &mut [u8]| {
                let taken = wire.take(data);
                flip(data, block_bytes, random);
                taken
            };
            store.write(bytes(span, block_bytes), flipped)?
        }
        (Access::Write(span), Some(Corruption::DroppedWrite)) => {
            discard(span.blocks, block_bytes, wire)
        }
        (Access::Write(span), Some(Corruption::MisdirectedWrite)) => {
            let beside = beside(span, store.len() / u64::from(block_bytes));
            faithfully(Access::Write(beside), store, block_bytes, wire)
        }
        (Access::Read(span), Some(Corruption::StaleRead)) => {
            store.read_before(bytes(span, block_bytes), |data| wire.put(data))?
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

/// Takes the data of so many blocks and writes it nowhere.
fn discard(blocks: u64, block_bytes: u32, wire: &mut Wire<'_>) -> Result<(), Stop> {
    let mut block = vec![0; block_bytes as usize];
    (0..blocks).try_for_each(|_| wire.take(&mut block))
}

/// Turns one bit of the first block over.
fn flip(data: &mut [u8], block_bytes: u32, random: u64) {
    let bit = random % (u64::from(block_bytes) * 8);
    if let Some(byte) = data.get_mut((bit / 8) as usize) {
        *byte ^= 1 << (bit % 8);
    }
}

/// As many blocks behind those of a span, or before them where the LUN ends.
fn beside(span: Span, blocks: u64) -> Span {
    let behind = span.lba.saturating_add(span.blocks);
    let fits = behind.saturating_add(span.blocks) <= blocks;
    let lba = if fits { behind } else { span.lba.saturating_sub(span.blocks) };
    Span { lba, ..span }
}
