//! A wakeup flag between threads: any thread rings it, and a polling thread wakes once for any number of
//! rings.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;

/// An eventfd that is readable from the first [`ring`](Bell::ring) until [`hush`](Bell::hush).
pub(crate) struct Bell {
    rung: AtomicBool,
    fd: OwnedFd,
}

impl Bell {
    pub(crate) fn new() -> rustix::io::Result<Bell> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Bell { rung: AtomicBool::new(false), fd })
    }

    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // EAGAIN means that the counter is full. The eventfd is readable then, which is all that
            // matters.
            let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        }
    }

    /// Makes the eventfd unreadable if the bell was rung. Later rings make it readable again.
    pub(crate) fn hush(&self) {
        if self.rung.swap(false, Ordering::SeqCst) {
            self.drain();
        }
    }

    /// Makes the eventfd unreadable unconditionally. A thread that is preempted in [`ring`](Bell::ring)
    /// between setting the flag and writing to the eventfd can leave it readable with the flag already
    /// cleared; [`hush`](Bell::hush) alone would never clear that.
    pub(crate) fn drain(&self) {
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags};

    use super::*;
    use crate::clock::wait_ready;

    fn is_readable(bell: &Bell) -> bool {
        wait_ready(&mut [PollFd::new(bell, PollFlags::IN)], Some(Duration::ZERO))
    }

    #[test]
    fn it_is_readable_from_the_first_ring_until_it_is_hushed() {
        let bell = Bell::new().unwrap();
        assert!(!is_readable(&bell));
        bell.ring();
        bell.ring();
        assert!(is_readable(&bell));
        bell.hush();
        assert!(!is_readable(&bell));
        bell.ring();
        assert!(is_readable(&bell));
    }

    #[test]
    fn one_that_was_hushed_between_the_steps_of_a_ring_is_drained() {
        let bell = Bell::new().unwrap();
        bell.rung.store(true, Ordering::SeqCst);
        bell.hush();
        let _ = rustix::io::write(&bell.fd, &1u64.to_ne_bytes());
        bell.hush();
        assert!(is_readable(&bell));
        bell.drain();
        assert!(!is_readable(&bell));
    }
}
