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
    /// From how many used bytes on hosts are told.
    threshold: Option<u64>,
    /// Whether the threshold was reached since [`Reservoir::reached_threshold`] was called.
    reached: AtomicBool,
}

impl Reservoir {
    /// A reservoir of this size.
    pub fn new(bytes: u64, when_full: WhenFull) -> Arc<Reservoir> {
        Reservoir::with_threshold(bytes, when_full, None)
    }

    /// The same with a threshold in bytes. When so much is used, hosts are told (SBC-3 4.7.3.7).
    pub fn with_threshold(
        bytes: u64,
        when_full: WhenFull,
        threshold: Option<u64>,
    ) -> Arc<Reservoir> {
        let (used, ran_out) = (AtomicU64::new(0), AtomicBool::new(false));
        let reached = AtomicBool::new(false);
        Arc::new(Reservoir { bytes, used, when_full, ran_out, threshold, reached })
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
        let below = |used: u64| self.threshold.filter(|threshold| used < *threshold);
        match taken {
            Ok(before) if below(before).is_some() && below(before + bytes).is_none() => {
                self.reached.store(true, Ordering::Release);
            }
            Err(_) if self.when_full == WhenFull::End => {
                self.ran_out.store(true, Ordering::Release);
            }
            _ => {}
        }
        taken.is_ok()
    }

    /// Whether the threshold was reached since this was last asked.
    pub(crate) fn reached_threshold(&self) -> bool {
        self.threshold.is_some() && self.reached.swap(false, Ordering::AcqRel)
    }
}

impl PartialEq for Reservoir {
    fn eq(&self, other: &Self) -> bool {
        (self.bytes, self.when_full, self.threshold)
            == (other.bytes, other.when_full, other.threshold)
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
