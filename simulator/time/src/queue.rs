//! A queue of timers, which all clocks use.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use crate::Time;

/// Wakers, ordered by due time. Wakers with the same due time keep the order in which they were
/// added.
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
    /// Adds a waker. Returns whether it is now the first one.
    pub fn add(&mut self, due: Time, wake: Box<dyn FnOnce() + Send>) -> bool {
        let order = self.next_order;
        self.next_order += 1;
        self.heap.push(Reverse(Timer { due, order, wake }));
        self.heap.peek().is_some_and(|Reverse(timer)| timer.order == order)
    }

    /// The due time of the first waker; `None` if the queue is empty.
    pub fn next_due(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(timer)| timer.due)
    }

    /// Removes and returns the first waker, if it is due by `now`. Call the waker without holding a
    /// lock, because it may add another.
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
