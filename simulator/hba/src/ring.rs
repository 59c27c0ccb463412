//! Serving a virtqueue's available ring without missing a kick, and without unnecessary kicks and
//! interrupts.

use std::{num::Wrapping, sync::atomic::Ordering};

use virtio_bindings::virtio_ring::VRING_AVAIL_F_NO_INTERRUPT;
use virtio_queue::{DescriptorChain, Queue, QueueOwnedT, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemory};

use crate::malformed::Malformed;

/// What remains when [`drain`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing. The guest kicks when it adds a chain.
    Empty,
    /// Possibly more chains, without a kick. Call again.
    More,
}

/// Whether the guest should kick when it adds a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kicks {
    /// The guest should kick, because the ring is not polled.
    Wanted,
    /// The guest need not kick, because the device checks the ring on request.
    Unwanted,
}

/// A descriptor chain that the device has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// The index of the virtqueue.
    pub(crate) queue: u16,
    /// The head index of the chain.
    pub(crate) head: u16,
    /// The number of bytes written to the device-writable part.
    pub(crate) len: u32,
}

/// Passes at most `budget` available chains to `serve`. If `serve` returns a length, the chain is
/// put into the used ring at once, otherwise later.
///
/// Kicks are disabled while chains are available (virtio 1.2 2.7.9). If they are wanted, the ring
/// is checked once more after they were enabled again.
pub(crate) fn drain<'m, M: GuestMemory>(
    ring: &mut Queue,
    memory: &'m M,
    kicks: Kicks,
    budget: usize,
    mut serve: impl FnMut(DescriptorChain<&'m M>) -> Option<u32>,
) -> Result<Progress, Malformed> {
    let mut left = budget;
    let mut promised = false;
    loop {
        ring.disable_notification(memory).map_err(|_| Malformed::BadRing)?;
        let mut found = false;
        while let Some(chain) = next(ring, memory)? {
            found = true;
            let head = chain.head_index();
            if let Some(len) = serve(chain) {
                add_used(ring, memory, head, len)?;
            }
            left -= 1;
            if left == 0 {
                return Ok(Progress::More);
            }
        }
        if promised && !found {
            // The available index indicates a chain, but it cannot be read.
            return Err(Malformed::BadRing);
        }
        if kicks == Kicks::Unwanted {
            return Ok(Progress::Empty);
        }
        promised = ring.enable_notification(memory).map_err(|_| Malformed::BadRing)?;
        if !promised {
            return Ok(Progress::Empty);
        }
    }
}

/// Takes the next available chain.
pub(crate) fn next<'m, M: GuestMemory>(
    ring: &mut Queue,
    memory: &'m M,
) -> Result<Option<DescriptorChain<&'m M>>, Malformed> {
    Ok(ring.iter(memory).map_err(|_| Malformed::BadRing)?.next())
}

/// Adds a chain to the used ring.
pub(crate) fn add_used<M: GuestMemory>(
    ring: &mut Queue,
    memory: &M,
    head: u16,
    len: u32,
) -> Result<(), Malformed> {
    ring.add_used(memory, head, len).map_err(|_| Malformed::BadRing)
}

/// Whether the guest wants an interrupt for the chains used since the last call.
pub(crate) fn interrupt_wanted<M: GuestMemory>(
    ring: &mut Queue,
    memory: &M,
    notify_on_empty: bool,
) -> bool {
    // Call this in any case: it contains the memory fence after which the guest's latest settings
    // are visible, and it forgets the chains that were added before.
    let event = ring.needs_notification(memory).unwrap_or(true);
    let taken = |index: Wrapping<u16>| index.0 == ring.next_avail();
    if notify_on_empty && ring.avail_idx(memory, Ordering::Acquire).is_ok_and(taken) {
        return true;
    }
    if ring.event_idx_enabled() {
        return event;
    }
    let flags = memory.load::<u16>(GuestAddress(ring.avail_ring()), Ordering::Acquire);
    flags.map_or(true, |flags| u16::from_le(flags) & VRING_AVAIL_F_NO_INTERRUPT as u16 == 0)
}
