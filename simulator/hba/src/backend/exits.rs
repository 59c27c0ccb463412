//! The events that end the threads of vhost-user-backend.
//!
//! They are made before the threads: a thread without one could never be ended, and who waits for it
//! would wait for ever.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

use vmm_sys_util::event::{
    EventConsumer, EventFlag, EventNotifier, new_event_consumer_and_notifier,
};

/// The exit events of one connection, one for each thread.
pub(super) struct Exits(Mutex<Inner>);

struct Inner {
    made: Vec<Made>,
    taken: Vec<Taken>,
}

/// An exit event that no thread has yet.
struct Made {
    consumer: EventConsumer,
    notifier: EventNotifier,
    /// For the thread.
    copy: EventNotifier,
}

/// An exit event that a thread has.
struct Taken {
    /// vhost-user-backend makes a raw descriptor of the consumer, and never closes it.
    consumer: RawFd,
    notifier: EventNotifier,
}

impl Exits {
    /// Makes the events for this many threads.
    pub(super) fn new(threads: usize) -> io::Result<Exits> {
        let make = |_| -> io::Result<Made> {
            let flags = EventFlag::NONBLOCK | EventFlag::CLOEXEC;
            let (consumer, notifier) = new_event_consumer_and_notifier(flags)?;
            Ok(Made { consumer, copy: notifier.try_clone()?, notifier })
        };
        let made = (0..threads).map(make).collect::<io::Result<_>>()?;
        Ok(Exits(Mutex::new(Inner { made, taken: Vec::new() })))
    }

    /// Takes one for a thread. The caller must turn the consumer into a raw descriptor that it never
    /// closes.
    pub(super) fn take(&self) -> Option<(EventConsumer, EventNotifier)> {
        let mut inner = self.inner();
        let Made { consumer, notifier, copy } = inner.made.pop()?;
        inner.taken.push(Taken { consumer: consumer.as_raw_fd(), notifier });
        Some((consumer, copy))
    }

    /// Tells every thread to exit, and closes the descriptors of the consumers. A thread that still
    /// runs holds its copy of the notifier, so that its epoll instance still has the event.
    #[expect(unsafe_code, reason = "the crate keeps no owner of these")]
    pub(super) fn exit(&self) {
        for Taken { consumer, notifier } in std::mem::take(&mut self.inner().taken) {
            // On failure the counter is full, and the event is there in any case.
            let _ = notifier.notify();
            // SAFETY: `consumer` was made by `take` above, whose caller (vhost-user-backend's
            // VringEpollHandler::new) turned the owned descriptor into a raw one with `into_raw_fd`
            // and never closes it. No other code uses the descriptor, and it is removed from the
            // list here, so that it is closed exactly once.
            drop(unsafe { OwnedFd::from_raw_fd(consumer) });
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
