//! The event queue, which carries events that the guest did not request.

use std::collections::VecDeque;

use virtio_queue::Queue;
use vm_memory::GuestMemory;

use crate::{
    chain::Chain,
    malformed::Malformed,
    ring::{self, add_used},
    statistics::Counters,
    wire::Event,
};

/// The maximum number of events that wait for a buffer from the guest. A Linux guest offers eight
/// buffers and returns them at once, so events rarely wait.
const MAX_WAITING: usize = 64;

/// The events that the guest has not received yet.
#[derive(Debug)]
pub(crate) struct EventBacklog {
    waiting: VecDeque<Event>,
    /// Whether events were lost. The next event must report it (VIRTIO_SCSI_T_EVENTS_MISSED).
    missed: bool,
    chain: Chain,
}

/// The result of writing an event to a buffer.
enum Buffer {
    Filled,
    Refused(Malformed),
}

impl EventBacklog {
    pub(crate) fn new() -> Self {
        EventBacklog { waiting: VecDeque::new(), missed: false, chain: Chain::new() }
    }

    /// Queues an event, or records that it was lost.
    pub(crate) fn push(&mut self, event: Event, counters: &Counters) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(event);
        } else {
            self.missed = true;
            counters.events_missed.add(1);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes as many events as there are buffers from the guest. If events remain, the guest must
    /// kick when it offers more buffers. Calls `refused` for buffers that cannot hold an event.
    pub(crate) fn deliver<M: GuestMemory>(
        &mut self,
        ring: &mut Queue,
        memory: &M,
        counters: &Counters,
        mut refused: impl FnMut(Malformed),
    ) -> Result<(), Malformed> {
        use virtio_queue::QueueT as _;

        let mut promised = false;
        // If a guest keeps adding useless buffers, stop, and wait for the next kick.
        let mut useless = 0;
        while let Some(event) = self.waiting.front() {
            let Some(descriptors) = ring::next(ring, memory)? else {
                if promised {
                    return Err(Malformed::BadRing);
                }
                promised = ring.enable_notification(memory).map_err(|_| Malformed::BadRing)?;
                if !promised {
                    return Ok(());
                }
                continue;
            };
            promised = false;
            let head = descriptors.head_index();
            let bytes = event.encode(self.missed);
            match fill(&mut self.chain, descriptors, memory, &bytes) {
                Buffer::Filled => {
                    self.waiting.pop_front();
                    self.missed = false;
                    counters.events.add(1);
                    add_used(ring, memory, head, Event::SIZE as u32)?;
                }
                Buffer::Refused(what) => {
                    refused(what);
                    add_used(ring, memory, head, 0)?;
                    useless += 1;
                    if useless > ring.size() {
                        return Ok(());
                    }
                }
            }
        }
        ring.disable_notification(memory).map_err(|_| Malformed::BadRing)
    }
}

fn fill<M: GuestMemory>(
    chain: &mut Chain,
    descriptors: virtio_queue::DescriptorChain<&M>,
    memory: &M,
    event: &[u8; Event::SIZE],
) -> Buffer {
    if let Err(what) = chain.load(descriptors) {
        return Buffer::Refused(what);
    }
    let mut place = chain.writable();
    if place.left() < Event::SIZE {
        return Buffer::Refused(Malformed::BadEventBuffer);
    }
    match place.write(memory, event) {
        Ok(_) => Buffer::Filled,
        Err(_) => Buffer::Refused(Malformed::BadAddress),
    }
}
