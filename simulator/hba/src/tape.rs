//! Requests that are written down, to be carried out again without the guest that sent them.
//!
//! A story can be taken up in the middle only by an array and HBAs that have been through what came
//! before, and that is requests, at points of time. So they are written down while they are served, and a
//! fresh array that is given the same ones at the same times is where the other one was: which commands
//! wait, what is reserved, what was written. Nothing of either has to be saved.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sansim_array::DmaError;
use serde::{Deserialize, Serialize};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// Where QEMU's q35 machine goes on with memory that does not fit below: the size of the lower part,
/// and the address of the upper one (hw/i386/pc_q35.c).
const LOWER: u64 = 2 << 30;
const UPPER_AT: u64 = 4 << 30;

/// A request as a guest sent it: one chain of a virtqueue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The virtqueue's index.
    pub(crate) queue: u16,
    /// The index by which the guest knows the chain.
    pub(crate) head: u16,
    /// What the guest gave, and the addresses at which it lay.
    pub(crate) readable: Vec<(u64, Vec<u8>)>,
    /// Where it wants its answer: addresses and lengths.
    pub(crate) writable: Vec<(u64, u32)>,
}

/// Memory that stands in for that of a guest which is not there. What is written to it is lost.
#[derive(Debug)]
pub struct Scratch(GuestMemoryMmap<()>);

impl Scratch {
    /// In place of a guest's memory of so many bytes. It occupies what is touched.
    ///
    /// # Errors
    /// When there are not so many addresses.
    pub fn new(bytes: u64) -> Result<Scratch, vm_memory::mmap::FromRangesError> {
        let upper = bytes.saturating_sub(LOWER);
        let parts = [(0, bytes.min(LOWER)), (UPPER_AT, upper)].into_iter();
        let parts = parts.filter(|(_, len)| *len > 0);
        let ranges: Vec<_> = parts.map(|(at, len)| (GuestAddress(at), len as usize)).collect();
        GuestMemoryMmap::from_ranges(&ranges).map(Scratch)
    }

    /// Has what the guest gave where it lay.
    ///
    /// # Errors
    /// When the request is of a guest with more memory.
    pub(crate) fn put(&self, request: &Request) -> Result<(), DmaError> {
        let mut parts = request.readable.iter();
        parts.try_for_each(|(at, bytes)| {
            self.0.write_slice(bytes, GuestAddress(*at)).map_err(|_| DmaError)
        })
    }

    pub(crate) fn memory(&self) -> &GuestMemoryMmap<()> {
        &self.0
    }
}

/// Where requests are written down.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    On(Vec<Request>),
    /// There was one that makes no sense, and so cannot be written down.
    Spoiled,
}

impl Tape {
    /// From now on requests are written down.
    pub(crate) fn start(&self) {
        *self.state() = State::On(Vec::new());
    }

    /// No more are. Answers what was written down; none if it is not all there.
    pub(crate) fn finish(&self) -> Option<Vec<Request>> {
        match mem::take(&mut *self.state()) {
            State::On(requests) => Some(requests),
            State::Off | State::Spoiled => None,
        }
    }

    /// Writes a request down.
    pub(crate) fn note(&self, request: impl FnOnce() -> Option<Request>) {
        let mut state = self.state();
        if let State::On(requests) = &mut *state {
            match request() {
                Some(request) => requests.push(request),
                None => *state = State::Spoiled,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at: u64) -> Request {
        Request { queue: 2, head: 0, readable: vec![(at, vec![7; 8])], writable: vec![(0, 4)] }
    }

    #[test]
    fn scratch_has_the_addresses_of_a_guest_of_its_size() {
        let scratch = Scratch::new(3 << 30).expect("addresses cost nothing");
        for (at, there) in [
            (0, true),
            (LOWER - 8, true),
            (LOWER - 4, false),
            (UPPER_AT, true),
            (UPPER_AT + (1 << 30) - 8, true),
            (UPPER_AT + (1 << 30), false),
            (u64::MAX - 4, false),
        ] {
            assert_eq!(scratch.put(&request(at)).is_ok(), there, "{at:#x}");
        }
    }

    #[test]
    fn a_tape_has_all_or_says_that_it_has_not() {
        let tape = Tape::default();
        tape.note(|| unreachable!("it is off"));
        assert_eq!(tape.finish(), None);
        tape.start();
        tape.note(|| Some(request(0)));
        assert_eq!(tape.finish(), Some(vec![request(0)]));
        tape.note(|| unreachable!("it is off again"));
        tape.start();
        assert_eq!(tape.finish(), Some(vec![]));
        tape.start();
        tape.note(|| None);
        tape.note(|| unreachable!("it is of no use any more"));
        assert_eq!(tape.finish(), None);
    }
}
