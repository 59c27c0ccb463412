//! The commands of a request queue: the current one, and those that the array has parked.

use std::collections::BTreeMap;

use sansim_array::Ticket;
use sansim_time::Time;
use virtio_queue::DescriptorChain;
use vm_memory::GuestMemory;

use crate::{
    chain::Chain,
    command::{self, GuestCommand, Initiator, Submitted},
    malformed::Malformed,
    ring::Used,
    tape::Request,
    wire::MAX_QUEUE_SIZE,
};

/// The maximum number of chains kept for reuse.
const SPARE_CHAINS: usize = 32;

/// The state of one request queue.
pub(crate) struct RequestQueue {
    /// The index of the virtqueue.
    index: u16,
    /// The current chain, which is reused for every command.
    chain: Chain,
    /// Chains for reuse, at most [`SPARE_CHAINS`].
    spare: Vec<Chain>,
    /// The parked commands. There are never more than the virtqueue has descriptors.
    parked: BTreeMap<Ticket, Parked>,
}

struct Parked {
    command: GuestCommand,
    chain: Chain,
    due: Option<Time>,
}

impl RequestQueue {
    pub(crate) fn new(index: u16) -> Self {
        RequestQueue { index, chain: Chain::new(), spare: Vec::new(), parked: BTreeMap::new() }
    }

    /// Carries out the command in a chain of this queue, which has `size` descriptors. Returns the
    /// number of bytes written to the chain; `None` if the command is parked.
    pub(crate) fn serve<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        size: u16,
        descriptors: DescriptorChain<&M>,
        memory: &M,
    ) -> Option<u32> {
        let loaded = self.chain.load(descriptors);
        initiator.note(|| loaded.ok().and_then(|()| self.chain.write_down(self.index, memory)));
        self.start(initiator, size, loaded, memory)
    }

    /// Like [`RequestQueue::serve`], for a recorded request.
    pub(crate) fn carry_out<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        request: &Request,
        memory: &M,
    ) -> Option<u32> {
        self.chain.load_request(request);
        self.start(initiator, MAX_QUEUE_SIZE, Ok(()), memory)
    }

    fn start<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        size: u16,
        loaded: Result<(), Malformed>,
        memory: &M,
    ) -> Option<u32> {
        let step = loaded.and_then(|()| {
            // A guest can offer a descriptor again before it was returned.
            if self.parked.len() < usize::from(size) {
                initiator.start(&self.chain, memory)
            } else {
                Err(Malformed::TooManyCommands)
            }
        });
        match step {
            Ok(Submitted::Answered(len)) => Some(len),
            Ok(Submitted::Parked(command, ticket, due)) => {
                let spare = self.spare.pop().unwrap_or_else(Chain::new);
                let chain = std::mem::replace(&mut self.chain, spare);
                self.park(initiator, ticket, Parked { command, chain, due });
                None
            }
            Err(what) => {
                initiator.counters.report(initiator.id, self.index, what);
                Some(command::refuse(&self.chain, memory))
            }
        }
    }

    /// Resumes a command, if it belongs to this queue. Returns its chain if it is complete.
    pub(crate) fn resume<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        ticket: Ticket,
        memory: &M,
    ) -> Option<Used> {
        let Parked { command, chain, .. } = self.parked.remove(&ticket)?;
        match initiator.resume(command, ticket, &chain, memory) {
            Ok(Submitted::Answered(len)) => Some(self.done(chain, len)),
            Ok(Submitted::Parked(command, ticket, due)) => {
                self.park(initiator, ticket, Parked { command, chain, due });
                None
            }
            Err(what) => {
                initiator.counters.report(initiator.id, self.index, what);
                let len = command::refuse(&chain, memory);
                Some(self.done(chain, len))
            }
        }
    }

    /// Completes a command that the array has ended, if it belongs to this queue.
    pub(crate) fn end<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        ticket: Ticket,
        completion: &sansim_array::Completion,
        memory: &M,
    ) -> Option<Used> {
        let Parked { chain, .. } = self.parked.remove(&ticket)?;
        initiator.counters.commands.add(1);
        let len = command::answer(&chain, memory, completion, 0).unwrap_or_else(|what| {
            initiator.counters.report(initiator.id, self.index, what);
            0
        });
        Some(self.done(chain, len))
    }

    /// Makes the array forget every parked command of this queue.
    pub(crate) fn forget(&mut self, initiator: &Initiator) {
        while let Some((ticket, _)) = self.parked.pop_first() {
            initiator.array.forget(ticket);
        }
    }

    /// Makes the array forget every parked command of this queue, and completes them so that the
    /// guest sends them again.
    pub(crate) fn interrupt<M: GuestMemory>(
        &mut self,
        initiator: &Initiator,
        memory: &M,
        used: &mut Vec<Used>,
    ) {
        while let Some((&ticket, parked)) = self.parked.first_key_value() {
            initiator.array.forget(ticket);
            let completion = command::interrupted(&parked.chain, memory);
            used.extend(self.end(initiator, ticket, &completion, memory));
        }
    }

    /// When the next command after `now` is due. A command that was due earlier is still held for
    /// another reason; the array will send a notice when that ends.
    pub(crate) fn next_due(&self, now: Time) -> Option<Time> {
        self.parked.values().filter_map(|parked| parked.due).filter(|due| *due > now).min()
    }

    fn park(&mut self, initiator: &Initiator, ticket: Ticket, parked: Parked) {
        initiator.counters.parked.add(1);
        if let Some(due) = parked.due {
            initiator.alarm.set(due);
        }
        let before = self.parked.insert(ticket, parked);
        assert!(before.is_none(), "the array gave the same ticket to two commands");
    }

    fn done(&mut self, chain: Chain, len: u32) -> Used {
        let used = Used { queue: self.index, head: chain.head(), len };
        if self.spare.len() < SPARE_CHAINS {
            self.spare.push(chain);
        }
        used
    }
}
