//! GET LBA STATUS (SBC-3 5.4).

use super::medium::{MAX_BLOCKS, Span};
use crate::{completion::Stop, store::Store, wire::Wire};

/// The lengths of the header and of a descriptor.
const HEADER: usize = 8;
const DESCRIPTOR: usize = 16;
/// The provisioning status of a descriptor: mapped, or deallocated.
const MAPPED: u8 = 0;
const DEALLOCATED: u8 = 1;

/// Reports the provisioning status of the blocks from `lba` on. The array keeps no block that contains only
/// zeros: such a block is deallocated. At most [`MAX_BLOCKS`] blocks are looked at, since a report need not
/// reach to the end.
pub(super) fn report(
    store: &Store,
    lba: u64,
    block_bytes: u32,
    allocation: u32,
    wire: &mut Wire<'_>,
) -> Result<(), Stop> {
    let blocks = store.len() / u64::from(block_bytes);
    let end = blocks.min(lba.saturating_add(MAX_BLOCKS.into()));
    let room = (allocation as usize).saturating_sub(HEADER) / DESCRIPTOR;
    let (mut next, mut descriptors) = (lba, Vec::new());
    // The first descriptor is always made, even if there is no room for it (SPC-4 4.2.5.6).
    while next < end && descriptors.len() < room.max(1) * DESCRIPTOR {
        let rest = Span { lba: next, blocks: end - next }.bytes(block_bytes);
        let (zero, len) = store.same_from(rest, block_bytes as usize)?;
        let same = len / u64::from(block_bytes);
        descriptors.extend(next.to_be_bytes());
        descriptors.extend((same as u32).to_be_bytes());
        descriptors.extend([if zero { DEALLOCATED } else { MAPPED }, 0, 0, 0]);
        next += same;
    }
    // PARAMETER DATA LENGTH counts what follows it.
    let len = (HEADER - 4 + descriptors.len()) as u32;
    let data = [&len.to_be_bytes()[..], &[0; 4], &descriptors].concat();
    wire.send(&data, allocation as usize)
}
