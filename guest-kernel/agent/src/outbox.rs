//! The queue of messages to the lab.
//!
//! Replies are never dropped: the agent accepts no calls while too many replies wait. When the lab does not
//! read, the newest events are dropped, and a count of the dropped events is sent instead.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sansim_protocol::{Event, FromAgent, Happening, Reply, encode};

use crate::bell::Bell;
use crate::clock::now_ns;

/// Bytes of events that may wait.
const MAX_WAITING: usize = 1 << 20;

/// Replies that may wait before the agent accepts no more calls.
const MAX_REPLIES: usize = 256;

/// The sending end. All clones feed the same queue.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
    /// Rung for every message.
    bell: Option<Arc<Bell>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    drained: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Encoded messages, each with the bytes that it counts against [`MAX_WAITING`] (0 for replies).
    lines: VecDeque<(Vec<u8>, usize)>,
    event_bytes: usize,
    /// How many of `lines` are not events.
    replies: usize,
    lost: u64,
}

impl Queue {
    fn push_event(&mut self, event: Event) {
        if self.event_bytes >= MAX_WAITING {
            self.lost += 1;
            return;
        }
        if let Some(lost) = self.take_lost() {
            self.push_line(lost);
        }
        self.push_line(encode(&FromAgent::Event(event)));
    }

    fn push_line(&mut self, line: Vec<u8>) {
        self.event_bytes += line.len();
        let size = line.len();
        self.lines.push_back((line, size));
    }

    /// The message that reports dropped events, if any were dropped.
    fn take_lost(&mut self) -> Option<Vec<u8>> {
        let count = std::mem::take(&mut self.lost);
        let what = Happening::Lost { count };
        (count > 0).then(|| encode(&FromAgent::Event(Event { at_ns: now_ns(), what })))
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        match self.lines.pop_front() {
            Some((line, size)) => {
                self.event_bytes -= size;
                self.replies -= usize::from(size == 0);
                Some(line)
            }
            None => self.take_lost(),
        }
    }
}

impl Outbox {
    /// Sets the bell to ring for every message sent through this outbox or later clones of it.
    pub(crate) fn ring_with(&mut self, bell: Arc<Bell>) {
        self.bell = Some(bell);
    }

    /// Sends an event with the current time.
    pub(crate) fn event(&self, what: Happening) {
        self.event_at(now_ns(), what);
    }

    /// Sends an event with the given time.
    pub(crate) fn event_at(&self, at_ns: u64, what: Happening) {
        self.lock().push_event(Event { at_ns, what });
        self.filled();
    }

    /// Waits until the queue has room for further events: less than half of [`MAX_WAITING`].
    pub(crate) fn wait_for_quiet(&self) {
        let full = |queue: &mut Queue| queue.event_bytes >= MAX_WAITING / 2;
        drop(self.shared.drained.wait_while(self.lock(), full));
    }

    /// Counts events that were lost before they reached the outbox.
    pub(crate) fn count_lost(&self, count: u64) {
        self.lock().lost += count;
        self.filled();
    }

    /// Sends the reply to a call. It is never dropped.
    pub(crate) fn reply(&self, reply: Reply) {
        self.message(&FromAgent::Reply(reply));
    }

    /// Sends a message that is never dropped.
    pub(crate) fn message(&self, message: &FromAgent) {
        let mut queue = self.lock();
        queue.lines.push_back((encode(message), 0));
        queue.replies += 1;
        drop(queue);
        self.filled();
    }

    fn filled(&self) {
        self.shared.filled.notify_one();
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }

    /// Blocks until there is a message, and takes it.
    pub(crate) fn next(&self) -> Vec<u8> {
        let mut queue = self.lock();
        loop {
            if let Some(line) = queue.pop() {
                self.shared.drained.notify_all();
                return line;
            }
            queue = self.shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Appends all waiting messages to `to`.
    pub(crate) fn take_all(&self, to: &mut Vec<u8>) {
        let mut queue = self.lock();
        to.extend(std::iter::from_fn(|| queue.pop()).flatten());
        self.shared.drained.notify_all();
    }

    /// Waits until fewer than [`MAX_REPLIES`] replies wait.
    pub(crate) fn wait_for_room(&self) {
        let full = |queue: &mut Queue| queue.replies >= MAX_REPLIES;
        drop(self.shared.drained.wait_while(self.lock(), full));
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sansim_protocol::{Answer, CallResult, decode};

    use super::*;

    fn log(n: usize) -> Happening {
        Happening::Log { level: 6, text: format!("{n} {}", "x".repeat(1000)) }
    }

    /// Takes and decodes all waiting messages.
    fn drain(outbox: &Outbox) -> Vec<FromAgent> {
        let lines = std::iter::from_fn(|| outbox.lock().pop());
        lines.map(|line| decode(line.trim_ascii()).unwrap()).collect()
    }

    #[test]
    fn events_that_nobody_reads_are_dropped_and_counted_but_replies_are_not() {
        let outbox = Outbox::default();
        for n in 0..2000 {
            outbox.event(log(n));
        }
        outbox.reply(Reply { id: 5, result: CallResult::Ok(Answer::Done) });
        let kept = outbox.lock().lines.len() as u64 - 1;
        assert!(kept < 2000);
        let seen = drain(&outbox);
        assert!(matches!(seen[seen.len() - 2], FromAgent::Reply(_)));
        let FromAgent::Event(Event { what: Happening::Lost { count }, .. }) = seen[seen.len() - 1]
        else {
            panic!("{:?}", seen.last());
        };
        assert_eq!(count, 2000 - kept);
        outbox.event(log(1));
        assert_eq!(drain(&outbox).len(), 1, "nothing is counted twice");
    }

    #[test]
    fn the_count_stands_where_the_gap_is() {
        let outbox = Outbox::default();
        for n in 0..2000 {
            outbox.event(log(n));
        }
        outbox.next();
        outbox.event(log(2000));
        let seen = drain(&outbox);
        let what = |m: &FromAgent| match m {
            FromAgent::Event(event) => event.what.clone(),
            other => panic!("{other:?}"),
        };
        assert!(matches!(what(&seen[seen.len() - 2]), Happening::Lost { .. }));
        assert_eq!(what(&seen[seen.len() - 1]), log(2000));
    }
}
