//! Being woken when the first parked command is due.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sansim_time::{Clock, Time};

/// Wakes a device up.
pub(crate) type Doorbell = Arc<dyn Fn() + Send + Sync>;

/// At most a few timers for however many parked commands: only a time that is earlier than the one
/// waited for needs another.
pub(crate) struct Alarm {
    clock: Arc<dyn Clock>,
    doorbell: Doorbell,
    /// In nanoseconds; [`Alarm::NEVER`] while none is waited for.
    earliest: AtomicU64,
}

impl Alarm {
    const NEVER: u64 = u64::MAX;

    pub(crate) fn new(clock: Arc<dyn Clock>, doorbell: Doorbell) -> Self {
        Alarm { clock, doorbell, earliest: AtomicU64::new(Self::NEVER) }
    }

    /// Has the doorbell rung at `due`, or earlier.
    pub(crate) fn set(&self, due: Time) {
        let at = due.as_nanos();
        if self.earliest.fetch_min(at, Ordering::AcqRel) > at {
            let doorbell = Arc::clone(&self.doorbell);
            self.clock.call_at(due, Box::new(move || doorbell()));
        }
    }

    /// The doorbell has been rung: the next time set will have it rung again.
    pub(crate) fn rung(&self) {
        self.earliest.store(Self::NEVER, Ordering::Release);
    }
}
