//! A timer for the first parked command that is due.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sansim_time::{Clock, Time};

/// Called when a device has work that did not come from its virtqueues.
pub(crate) type Doorbell = Arc<dyn Fn() + Send + Sync>;

/// Rings the doorbell at the earliest due time. However many commands are parked, it uses only a
/// few timers: a new one is set only for a time earlier than the current one.
pub(crate) struct Alarm {
    clock: Arc<dyn Clock>,
    doorbell: Doorbell,
    /// The earliest due time in nanoseconds; [`Alarm::NEVER`] if no timer is set.
    earliest: AtomicU64,
}

impl Alarm {
    const NEVER: u64 = u64::MAX;

    pub(crate) fn new(clock: Arc<dyn Clock>, doorbell: Doorbell) -> Self {
        Alarm { clock, doorbell, earliest: AtomicU64::new(Self::NEVER) }
    }

    /// Rings the doorbell at `due` or earlier.
    pub(crate) fn set(&self, due: Time) {
        let at = due.as_nanos();
        if self.earliest.fetch_min(at, Ordering::AcqRel) > at {
            let doorbell = Arc::clone(&self.doorbell);
            self.clock.call_at(due, Box::new(move || doorbell()));
        }
    }

    /// Records that the doorbell rang. The next call of [`Alarm::set`] sets a new timer.
    pub(crate) fn rung(&self) {
        self.earliest.store(Self::NEVER, Ordering::Release);
    }
}
