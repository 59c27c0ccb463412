//! Keeping the clock in skipped time, and counting what goes out.
//!
//! QEMU lets the clock of an idle guest jump to its next timer (`-icount sleep=off`). Nothing else in
//! the world takes time then: a host that is slow to answer a command would look like an array that
//! took seconds. So the guest must not idle while the lab has something to do. See [`clock`] for how
//! that is done, and [`probe`] for how the kernel tells what it sends.

mod clock;
mod disk;
mod linger;
mod probe;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sansim_protocol::{Go, SKIPPED_TIME, Sent};

use crate::fail::{Doing, Result};
use crate::outbox::Outbox;
pub(crate) use clock::Clock;
use probe::Probes;

/// Keeps the clock, where there is one to keep, and counts the commands that go out.
#[derive(Clone)]
pub(crate) struct Keeper {
    /// Opened when the modules are loaded whose probes they are.
    probes: Arc<OnceLock<Mutex<Probes>>>,
    /// None in real time.
    clock: Option<Arc<Clock>>,
}

impl Keeper {
    /// A keeper of this guest's time: the kernel's command line says which that is. In skipped time
    /// it is told of everything that comes into the outbox.
    pub(crate) fn new(outbox: &mut Outbox) -> Result<Keeper> {
        let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
        let probes = Arc::default();
        if !line.split_whitespace().any(|word| word == SKIPPED_TIME) {
            return Ok(Keeper { probes, clock: None });
        }
        let clock = Arc::new(Clock::new(Arc::clone(&probes)).doing(|| "make timers".to_owned())?);
        let ring = Arc::clone(&clock);
        outbox.ring_with(move || ring.ring());
        Ok(Keeper { probes, clock: Some(clock) })
    }

    /// The clock that is to be kept.
    pub(crate) fn clock(&self) -> Option<&Clock> {
        self.clock.as_deref()
    }

    /// To be called by the thread that will bring the lab's answers.
    pub(crate) fn answered_here(&self) {
        if self.clock.is_some() {
            clock::preempt_all();
        }
    }

    /// Opens the probes if their modules are loaded by now and nobody has yet.
    pub(crate) fn ensure_probes(&self) -> Result<()> {
        if self.probes.get().is_some() || !Probes::are_there() {
            return Ok(());
        }
        let probes = Probes::open(self.clock.is_some())?;
        if let Some(clock) = &self.clock {
            clock.await_commands(&probes).doing(|| "wait for commands".to_owned())?;
        }
        let _ = self.probes.set(Mutex::new(probes));
        Ok(())
    }

    /// Sees to it that time stands still while the userland's disk is read. To be called before it is
    /// used.
    pub(crate) fn ensure_disk(&self) -> Result<()> {
        let (Some(clock), Some(probes)) = (&self.clock, self.probes.get()) else { return Ok(()) };
        let mut probes = probes.lock().unwrap_or_else(PoisonError::into_inner);
        if probes.disk_requests().next().is_none() {
            probes.watch_disk()?;
            clock.await_disk(&probes).doing(|| "wait for a disk".to_owned())?;
        }
        Ok(())
    }

    /// Commands sent so far.
    pub(crate) fn sent(&self) -> Sent {
        let Some(probes) = self.probes.get() else { return Sent::default() };
        probes.lock().unwrap_or_else(PoisonError::into_inner).sent()
    }

    /// The lab's answer.
    pub(crate) fn go(&self, go: Go) {
        if let Some(clock) = &self.clock {
            clock.go(go);
        }
    }
}
