//! Keeping the clock in exact time, and counting what goes out.
//!
//! QEMU lets the clock of an idle guest jump to its next timer (`-icount sleep=off`). Nothing else in
//! the world takes time then: a host that is slow to answer a command would look like an array that
//! took seconds, and no two runs would be alike. So whenever the guest has sent something, its processor
//! stands still until the lab has dealt with it.
//!
//! | file | what it does |
//! |---|---|
//! | [`clock`] | the thread that asks, and when |
//! | [`hypercall`] | the question for which the processor stands still |
//! | [`interrupts`] | raises the interrupts of virtio devices, at the answer |
//! | [`probe`] | how the kernel tells what it sends |
//! | [`pci`], [`window`] | where registers are, and access to them |

mod clock;
mod hypercall;
mod interrupts;
mod pci;
mod probe;
mod window;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sansim_protocol::{SKIPPED_TIME, Sent};

use crate::activity::Activity;
use crate::fail::Result;
use crate::outbox::Outbox;
pub(crate) use clock::Clock;
use probe::Counters;

/// Keeps the clock, where there is one to keep, and counts the commands that go out.
#[derive(Clone)]
pub(crate) struct Keeper {
    /// Opened when the modules are loaded whose events they count.
    counters: Arc<OnceLock<Mutex<Counters>>>,
    /// None in real time.
    clock: Option<Arc<Clock>>,
}

/// Whether this guest's time is exact: the kernel's command line says so.
pub(crate) fn is_exact() -> bool {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|word| word == SKIPPED_TIME)
}

/// To be called before any driver of PCI devices is loaded.
pub(crate) fn before_drivers() {
    if is_exact() {
        hypercall::keep_register_free();
    }
}

impl Keeper {
    /// A keeper of this guest's time. In exact time it is told of everything that comes into the outbox.
    pub(crate) fn new(outbox: &mut Outbox) -> Result<Keeper> {
        let mut keeper = Keeper { counters: Arc::default(), clock: None };
        if is_exact() {
            let clock = Arc::new(Clock::new()?);
            let ring = Arc::clone(&clock);
            outbox.ring_with(move || ring.ring());
            keeper.clock = Some(clock);
        }
        Ok(keeper)
    }

    /// The clock that is to be kept.
    pub(crate) fn clock(&self) -> Option<&Clock> {
        self.clock.as_deref()
    }

    /// Tells of requests and interrupts, in exact time.
    pub(crate) fn activity(&self) -> Option<Arc<Activity>> {
        self.clock.as_ref().map(|clock| Arc::clone(&clock.activity))
    }

    /// Starts to count if the modules are loaded by now and nobody has yet.
    pub(crate) fn ensure_counters(&self) -> Result<()> {
        if self.counters.get().is_none() && Counters::are_there() {
            let _ = self.counters.set(Mutex::new(Counters::open()?));
        }
        Ok(())
    }

    /// Commands sent so far.
    pub(crate) fn sent(&self) -> Sent {
        let Some(counters) = self.counters.get() else { return Sent::default() };
        counters.lock().unwrap_or_else(PoisonError::into_inner).sent()
    }
}
