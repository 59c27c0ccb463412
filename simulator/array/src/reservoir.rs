//! The memory for the contents of LUNs: a bound for all that is written.

use std::sync::Arc;
#[cfg(not(all(test, loom)))]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What happens to a write for which no memory is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The write fails with SPACE ALLOCATION FAILED WRITE PROTECT (SBC-3 4.7.3.6), as on an array whose pool is
    /// full.
    Space,
    /// The write fails with a medium error, WRITE ERROR.
    Medium,
    /// The write fails with a medium error, and the run is to end: [`Reservoir::ran_out`].
    #[default]
    End,
}

/// Memory that the contents of LUNs share. It is counted by extents of 64 KiB that were ever written.
#[derive(Debug)]
pub struct Reservoir {
    bytes: u64,
    used: AtomicU64,
    when_full: WhenFull,
    ran_out: AtomicBool,
}

impl Reservoir {
    /// A reservoir of this size.
    pub fn new(bytes: u64, when_full: WhenFull) -> Arc<Reservoir> {
        let (used, ran_out) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Reservoir { bytes, used, when_full, ran_out })
    }

    /// A reservoir without a bound.
    pub fn unbounded() -> Arc<Reservoir> {
        Reservoir::new(u64::MAX, WhenFull::End)
    }

    /// The size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a write found no memory, and the run is to end.
    pub fn ran_out(&self) -> bool {
        self.ran_out.load(Ordering::Acquire)
    }

    pub(crate) fn when_full(&self) -> WhenFull {
        self.when_full
    }

    /// Takes memory. Returns whether there is as much.
    fn take(&self, bytes: u64) -> bool {
        let taken = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            used.checked_add(bytes).filter(|used| *used <= self.bytes)
        });
        if taken.is_err() && self.when_full == WhenFull::End {
            self.ran_out.store(true, Ordering::Release);
        }
        taken.is_ok()
    }
}

impl PartialEq for Reservoir {
    fn eq(&self, other: &Self) -> bool {
        (self.bytes, self.when_full) == (other.bytes, other.when_full)
    }
}

/// What one store has taken of a reservoir. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    reservoir: Arc<Reservoir>,
    bytes: u64,
}

impl Share {
    pub(crate) fn of(reservoir: &Arc<Reservoir>) -> Share {
        Share { reservoir: Arc::clone(reservoir), bytes: 0 }
    }

    pub(crate) fn reservoir(&self) -> &Arc<Reservoir> {
        &self.reservoir
    }

    /// Takes more. Returns whether there is as much.
    pub(crate) fn grow(&mut self, bytes: u64) -> bool {
        let grown = bytes == 0 || self.reservoir.take(bytes);
        self.bytes += if grown { bytes } else { 0 };
        grown
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.reservoir.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Every order in which threads can take and give back; run by `ci/loom`.
#[cfg(all(test, loom))]
mod every_order {
    use super::*;

    /// What two HBAs write at the same time never has more memory than there is, and all of it is given back.
    #[test]
    fn two_threads_take_no_more_than_there_is() {
        loom::model(|| {
            let reservoir = Reservoir::new(3, WhenFull::End);
            let held = Arc::new(AtomicU64::new(0));
            let writer = |bytes: u64| {
                let (reservoir, held) = (Arc::clone(&reservoir), Arc::clone(&held));
                move || {
                    let mut share = Share::of(&reservoir);
                    let grown = share.grow(bytes);
                    if grown {
                        assert!(held.fetch_add(bytes, Ordering::SeqCst) + bytes <= 3);
                        held.fetch_sub(bytes, Ordering::SeqCst);
                    }
                    grown
                }
            };
            let other = loom::thread::spawn(writer(2));
            let grown = [writer(2)(), other.join().expect("it does not panic")];
            assert!(grown.contains(&true), "one of them finds all of it");
            assert_eq!(reservoir.ran_out(), grown.contains(&false));
            assert!(Share::of(&reservoir).grow(3), "all of it is given back");
        });
    }
}
