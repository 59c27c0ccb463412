//! The thread of one workload: keeps the queue full, verifies completed reads, and shuts down cleanly.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use sansim_protocol::{IoDirection, WorkloadCanary, WorkloadReport};

use super::ledger::Ledger;
use super::report::Meter;
use super::ring::Ring;
use super::schedule::{Pacer, Stream};
use crate::clock::{now_ns, wait_ready};
use crate::outbox::Outbox;

/// What is late for [`WorkloadCanary::LostCompletion`], in nanoseconds.
const LATE_NS: u64 = 1_000_000_000;

/// The order to stop a workload.
pub(super) struct Order {
    /// How long to wait for I/O in flight, in nanoseconds.
    pub(super) patience_ns: u64,
    /// Whether to read back the written blocks.
    pub(super) read_back: bool,
    pub(super) answer: Sender<WorkloadReport>,
}

/// The request in flight in a slot.
#[derive(Clone, Copy)]
struct Flight {
    direction: IoDirection,
    block: usize,
    since_ns: u64,
}

/// The phases of a workload.
enum Phase {
    Running,
    /// Submits nothing more; waits for I/O in flight until the deadline.
    Draining {
        deadline_ns: u64,
        order: Order,
    },
    /// Reads every written block once, starting at `next`. Gives up when nothing completes before the
    /// deadline.
    ReadingBack {
        next: usize,
        deadline_ns: u64,
        order: Order,
    },
}

/// How a workload ended, for its report.
struct End {
    order: Order,
    /// Blocks from this index on were not read back.
    read_back_to: usize,
}

/// The state of one workload.
pub(super) struct Engine {
    pub(super) ring: Ring,
    pub(super) ledger: Ledger,
    pub(super) stream: Stream,
    pub(super) pacer: Pacer,
    pub(super) meter: Meter,
    pub(super) outbox: Outbox,
    pub(super) orders: Receiver<Order>,
    /// Readable when an order is waiting.
    pub(super) wake: OwnedFd,
    pub(super) slots: Slots,
    pub(super) canary: Option<WorkloadCanary>,
}

/// The ring's slots, and the next request of the stream.
pub(super) struct Slots {
    flights: Vec<Option<Flight>>,
    free: Vec<usize>,
    /// The next request: drawn from the stream, but its block is busy or it is not due yet.
    head: Option<(IoDirection, usize)>,
    /// Blocks that could not be read back.
    unread: u64,
}

impl Slots {
    pub(super) fn new(count: u32) -> Slots {
        let count = count as usize;
        Slots {
            flights: vec![None; count],
            free: (0..count).rev().collect(),
            head: None,
            unread: 0,
        }
    }

    fn idle(&self) -> bool {
        self.free.len() == self.flights.len()
    }
}

impl Engine {
    /// Runs until ordered to stop and sends the report; then waits for stuck I/O.
    pub(super) fn run(mut self) {
        let mut phase = Phase::Running;
        loop {
            let completed = self.reap(matches!(phase, Phase::ReadingBack { .. }));
            let now = now_ns();
            phase = match self.advance(phase, now, completed) {
                Ok(phase) => phase,
                Err(end) => break self.finish(&end),
            };
            let due = self.feed(&mut phase, now);
            if self.ring.submit().is_err() || self.ring.has_unsubmitted() {
                // The kernel is short of memory: retry soon.
                std::thread::sleep(Duration::from_millis(10));
            }
            let look = self.meter.tick(now_ns()).min(due);
            for event in self.meter.take_events() {
                self.outbox.event(event);
            }
            self.wait(Some(Duration::from_nanos(look.saturating_sub(now_ns()))));
        }
        while !self.slots.idle() {
            self.wait(None);
            self.reap(false);
        }
    }

    /// Processes completions. Returns how many there were.
    fn reap(&mut self, reading_back: bool) -> usize {
        let done = self.ring.completions();
        let now = now_ns();
        for (slot, outcome) in &done {
            if self.loses(*slot, now) {
                continue;
            }
            let flight = self.slots.flights[*slot].take().expect("a flight for every completion");
            self.slots.free.push(*slot);
            let offset = self.ledger.offset(flight.block);
            self.meter.completed(now, flight.since_ns, flight.direction, offset, *outcome);
            match (flight.direction, outcome) {
                (IoDirection::Write, outcome) => {
                    self.ledger.end_write(flight.block, outcome.is_ok())
                }
                (IoDirection::Read, Err(_)) => {
                    self.ledger.end_failed_read(flight.block);
                    self.slots.unread += u64::from(reading_back);
                }
                (IoDirection::Read, Ok(())) => {
                    let sectors = self.ring.sectors(*slot);
                    if let Some(finding) = self.ledger.end_read(flight.block, sectors) {
                        self.meter.found(offset, finding);
                    }
                }
            }
        }
        done.len()
    }

    /// Whether the planted bug has the completion of the request in this slot lost.
    fn loses(&self, slot: usize, now: u64) -> bool {
        let late = |flight: Flight| now.saturating_sub(flight.since_ns) > LATE_NS;
        self.canary == Some(WorkloadCanary::LostCompletion)
            && self.slots.flights[slot].is_some_and(late)
    }

    /// Enters the next phase if it is time. `Err` when the workload has ended.
    fn advance(&mut self, phase: Phase, now: u64, completed: usize) -> Result<Phase, End> {
        match phase {
            Phase::Running => Ok(match self.orders.try_recv() {
                Ok(order) => {
                    Phase::Draining { deadline_ns: now.saturating_add(order.patience_ns), order }
                }
                Err(_) => Phase::Running,
            }),
            Phase::Draining { order, .. } if self.slots.idle() => {
                if !order.read_back {
                    return Err(End { order, read_back_to: 0 });
                }
                let deadline_ns = now.saturating_add(order.patience_ns);
                Ok(Phase::ReadingBack { next: 0, deadline_ns, order })
            }
            Phase::Draining { deadline_ns, order } if now >= deadline_ns => {
                Err(End { order, read_back_to: 0 })
            }
            Phase::ReadingBack { next, order, .. } if completed > 0 && !self.slots.idle() => {
                let deadline_ns = now.saturating_add(order.patience_ns);
                Ok(Phase::ReadingBack { next, deadline_ns, order })
            }
            Phase::ReadingBack { next, order, deadline_ns }
                if now >= deadline_ns || (self.slots.idle() && next == self.ledger.len()) =>
            {
                Err(End { order, read_back_to: next })
            }
            phase => Ok(phase),
        }
    }

    /// Queues the requests that may be submitted now. Returns when to call again at the latest, in
    /// nanoseconds.
    fn feed(&mut self, phase: &mut Phase, now: u64) -> u64 {
        match phase {
            Phase::Running => self.feed_stream(now),
            // With nothing in flight, continue at once.
            Phase::Draining { deadline_ns, .. } => {
                if self.slots.idle() {
                    now
                } else {
                    *deadline_ns
                }
            }
            Phase::ReadingBack { next, deadline_ns, .. } => {
                while *next < self.ledger.len() && !self.slots.free.is_empty() {
                    if self.ledger.is_written(*next) {
                        self.send(IoDirection::Read, *next);
                    }
                    *next += 1;
                }
                // Without any block to read back, continue at once.
                if self.slots.idle() { now } else { *deadline_ns }
            }
        }
    }

    fn feed_stream(&mut self, now: u64) -> u64 {
        while !self.slots.free.is_empty() {
            let stream = &mut self.stream;
            let (direction, block) = *self.slots.head.get_or_insert_with(|| stream.next());
            // The seed determines the order of the requests for a block, so wait for the one in flight.
            if self.ledger.is_busy(block) {
                break;
            }
            if let Some(wait) = self.pacer.wait(now) {
                return now.saturating_add(wait.as_nanos() as u64);
            }
            self.slots.head = None;
            self.pacer.take(now);
            self.send(direction, block);
        }
        u64::MAX
    }

    fn send(&mut self, direction: IoDirection, block: usize) {
        let slot = self.slots.free.pop().expect("the caller saw a free slot");
        match direction {
            IoDirection::Read => self.ledger.begin_read(block),
            IoDirection::Write => self.ledger.begin_write(block, self.ring.sectors_mut(slot)),
        }
        self.ring.queue(slot, direction, self.ledger.offset(block));
        let since_ns = now_ns();
        self.slots.flights[slot] = Some(Flight { direction, block, since_ns });
        self.meter.submitted(since_ns);
    }

    fn finish(&mut self, end: &End) {
        let mut unchecked = self.slots.unread;
        if end.order.read_back {
            let pending = self.slots.flights.iter().flatten().map(|flight| flight.block);
            let pending = pending.filter(|block| *block < end.read_back_to);
            let missed = (end.read_back_to..self.ledger.len()).chain(pending);
            unchecked += missed.filter(|block| self.ledger.is_written(*block)).count() as u64;
        }
        for event in self.meter.take_events() {
            self.outbox.event(event);
        }
        let report = self.meter.report(now_ns(), unchecked);
        // If the map was removed meanwhile, the receiver is gone.
        let _ = end.order.answer.send(report);
    }

    /// Waits for a completion or an order, for at most `timeout`.
    fn wait(&self, timeout: Option<Duration>) {
        let mut fds = [
            PollFd::from_borrowed_fd(self.ring.as_fd(), PollFlags::IN),
            PollFd::new(&self.wake, PollFlags::IN),
        ];
        wait_ready(&mut fds, timeout);
        if !fds[1].revents().is_empty() {
            let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        }
    }
}
