//! A clock that follows the guest's time, for runs with skipped time.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use crate::{Clock, Time, TimerQueue};

/// A clock that stands still until [`SkipClock::advance`] moves it. In skipped time, the guest
/// determines the time.
#[derive(Default)]
pub struct SkipClock {
    now: AtomicU64,
    timers: Mutex<TimerQueue>,
}

impl SkipClock {
    /// Moves the clock forward to `now`, and calls the wakers that are due by then. Never moves the
    /// clock back.
    pub fn advance(&self, now: Time) {
        let now = Time::from_nanos(self.now.fetch_max(now.as_nanos(), SeqCst).max(now.as_nanos()));
        // Not in the loop's condition, because the lock would then be held during the loop body.
        let next = || self.lock().take_due(now);
        while let Some(wake) = next() {
            wake();
        }
    }

    /// The due time of the first waker, which may be in the past; `None` if there is none.
    pub fn next_due(&self) -> Option<Time> {
        self.lock().next_due()
    }

    fn lock(&self) -> MutexGuard<'_, TimerQueue> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SkipClock {
    fn now(&self) -> Time {
        Time::from_nanos(self.now.load(SeqCst))
    }

    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>) {
        self.lock().add(due, wake);
    }
}

impl std::fmt::Debug for SkipClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SkipClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn it_stands_still_until_it_is_moved_and_never_goes_back() {
        let clock = SkipClock::default();
        assert_eq!(clock.now(), Time::ZERO);
        clock.advance(at(5));
        clock.advance(at(3));
        assert_eq!(clock.now(), at(5));
    }

    #[test]
    fn what_is_due_is_called_in_order_and_what_is_not_stays() {
        let clock = SkipClock::default();
        let called = Arc::new(Mutex::new(Vec::new()));
        for nanos in [30, 10, 20, 10, 40] {
            let called = Arc::clone(&called);
            clock.call_at(at(nanos), Box::new(move || called.lock().unwrap().push(nanos)));
        }
        clock.advance(at(30));
        assert_eq!(*called.lock().unwrap(), [10, 10, 20, 30]);
        assert_eq!(clock.next_due(), Some(at(40)));
    }

    #[test]
    fn a_waker_may_set_another_timer_which_is_called_too_if_it_is_due() {
        let clock = Arc::new(SkipClock::default());
        let called = Arc::new(AtomicU64::new(0));
        let (again, count) = (Arc::clone(&clock), Arc::clone(&called));
        clock.call_at(
            at(1),
            Box::new(move || {
                again.call_at(at(2), Box::new(move || count.store(1, SeqCst)));
            }),
        );
        clock.advance(at(2));
        assert_eq!(called.load(SeqCst), 1);
        assert_eq!(clock.next_due(), None);
    }
}
