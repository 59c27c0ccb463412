//! Recorded requests, which can be carried out again without the guest that sent them.
//!
//! To continue a story from a checkpoint, the array and the HBAs must be in the state that they had
//! then. That state depends only on the requests and their times. Therefore requests are recorded
//! while they are served. A new array that gets the same requests at the same times reaches the
//! same state: the same parked commands, reservations and data. The state itself need not be saved.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sansim_array::DmaError;
use serde::{Deserialize, Serialize};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// The memory layout of QEMU's q35 machine: the size of the lower part, and the address at which
/// the rest continues (hw/i386/pc_q35.c).
const LOWER: u64 = 2 << 30;
const UPPER_AT: u64 = 4 << 30;

/// A recorded request: one chain of a virtqueue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The index of the virtqueue.
    pub(crate) queue: u16,
    /// The head index of the chain.
    pub(crate) head: u16,
    /// The device-readable segments: their addresses and their data.
    pub(crate) readable: Vec<(u64, Vec<u8>)>,
    /// The device-writable segments: their addresses and their lengths in bytes.
    pub(crate) writable: Vec<(u64, u32)>,
}

/// Memory that replaces the memory of a guest that is not running. Data written to it is discarded.
#[derive(Debug)]
pub struct Scratch(GuestMemoryMmap<()>);

impl Scratch {
    /// Creates a replacement for `bytes` bytes of guest memory. Only pages that are touched use
    /// host memory.
    ///
    /// # Errors
    ///
    /// Returns an error if the address space is not sufficient.
    pub fn new(bytes: u64) -> Result<Scratch, vm_memory::mmap::FromRangesError> {
        let upper = bytes.saturating_sub(LOWER);
        let parts = [(0, bytes.min(LOWER)), (UPPER_AT, upper)].into_iter();
        let parts = parts.filter(|(_, len)| *len > 0);
        let ranges: Vec<_> = parts.map(|(at, len)| (GuestAddress(at), len as usize)).collect();
        GuestMemoryMmap::from_ranges(&ranges).map(Scratch)
    }

    /// Writes the device-readable data of a request to its addresses.
    ///
    /// # Errors
    ///
    /// Returns an error if an address is beyond this memory.
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

/// The recorder for requests.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    On(Vec<Request>),
    /// A malformed request occurred, which cannot be recorded.
    Spoiled,
}

impl Tape {
    pub(crate) fn start(&self) {
        *self.state() = State::On(Vec::new());
    }

    /// Stops recording. Returns the recorded requests; `None` if the recording is incomplete.
    pub(crate) fn finish(&self) -> Option<Vec<Request>> {
        match mem::take(&mut *self.state()) {
            State::On(requests) => Some(requests),
            State::Off | State::Spoiled => None,
        }
    }

    /// Records a request if recording is on.
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
