//! What is to be done when: the part that all clocks share.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::time::{Clock, Time};

/// Wakers in the order of their times; those of the same time in the order in which they came.
#[derive(Default)]
pub struct TimerQueue {
    heap: BinaryHeap<Reverse<Timer>>,
    next_order: u64,
}

struct Timer {
    due: Time,
    order: u64,
    wake: Box<dyn FnOnce() + Send>,
}

impl TimerQueue {
    /// Adds a waker. Answers whether it is the first one now.
    pub fn add(&mut self, due: Time, wake: Box<dyn FnOnce() + Send>) -> bool {
        let order = self.next_order;
        self.next_order += 1;
        self.heap.push(Reverse(Timer { due, order, wake }));
        self.heap.peek().is_some_and(|Reverse(timer)| timer.order == order)
    }

    /// When the first one is due.
    pub fn next_due(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(timer)| timer.due)
    }

    /// Takes the first one if it is due by `now`. It is to be called without a lock held: it may
    /// well add another.
    pub fn take_due(&mut self, now: Time) -> Option<Box<dyn FnOnce() + Send>> {
        self.next_due().filter(|due| *due <= now)?;
        self.heap.pop().map(|Reverse(timer)| timer.wake)
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

/// A clock that stands still until it is told what time it is. In skipped time that is the guest's
/// to say.
#[derive(Default)]
pub struct SkipClock {
    now: AtomicU64,
    timers: Mutex<TimerQueue>,
}

impl SkipClock {
    /// Moves the clock to `now`, never back, and calls what is due by then.
    pub fn advance(&self, now: Time) {
        let now = Time::from_nanos(self.now.fetch_max(now.as_nanos(), SeqCst).max(now.as_nanos()));
        // Not in the loop's condition, where the lock would be held until the end of its body.
        let next = || self.lock().take_due(now);
        while let Some(wake) = next() {
            wake();
        }
    }

    /// When something is to be called next; the past if it is overdue.
    pub fn next_due(&self) -> Option<Time> {
        self.lock().next_due()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TimerQueue> {
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
