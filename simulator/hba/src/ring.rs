//! Going through a virtqueue's available ring without missing a kick, and without a kick or an
//! interrupt too many.

use std::{num::Wrapping, sync::atomic::Ordering};

use virtio_bindings::virtio_ring::VRING_AVAIL_F_NO_INTERRUPT;
use virtio_queue::{DescriptorChain, Queue, QueueOwnedT, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemory};

use crate::malformed::Malformed;

/// What is left when [`drain`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing, and the guest will kick when there is more.
    Empty,
    /// Perhaps something, and the guest need not kick: call again.
    More,
}

/// Whether the guest is to kick when there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kicks {
    /// It is: nobody looks until it does.
    Wanted,
    /// It is not: whoever serves knows when to look.
    Unwanted,
}

/// A descriptor chain that is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// The virtqueue it came from.
    pub(crate) queue: u16,
    /// The index by which the guest knows it.
    pub(crate) head: u16,
    /// Bytes written to its device-writable part.
    pub(crate) len: u32,
}

/// Hands at most `budget` available chains to `serve`. Those for which it returns a length are used
/// at once, the others later.
///
/// Kicks are switched off while there is something to do (virtio 1.2 2.7.9), and if they are wanted the
/// ring is looked at once more after they were switched on again.
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
            // The index says that there is something, but it cannot be read.
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

/// The next available chain.
pub(crate) fn next<'m, M: GuestMemory>(
    ring: &mut Queue,
    memory: &'m M,
) -> Result<Option<DescriptorChain<&'m M>>, Malformed> {
    Ok(ring.iter(memory).map_err(|_| Malformed::BadRing)?.next())
}

/// Puts a chain into the used ring.
pub(crate) fn add_used<M: GuestMemory>(
    ring: &mut Queue,
    memory: &M,
    head: u16,
    len: u32,
) -> Result<(), Malformed> {
    ring.add_used(memory, head, len).map_err(|_| Malformed::BadRing)
}

/// Whether the guest wants an interrupt for what was used since this was asked last.
pub(crate) fn interrupt_wanted<M: GuestMemory>(
    ring: &mut Queue,
    memory: &M,
    notify_on_empty: bool,
) -> bool {
    // Asked in any case: it has the fence behind which the guest's wishes are what it last wrote, and
    // it forgets what was added before.
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
