//! A bell: any thread rings it, and one that polls is woken, once for however many rings.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;

/// Readable from when it is rung until it is hushed.
pub(crate) struct Bell {
    rung: AtomicBool,
    fd: OwnedFd,
}

impl Bell {
    /// One that has not been rung.
    pub(crate) fn new() -> rustix::io::Result<Bell> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Bell { rung: AtomicBool::new(false), fd })
    }

    /// Makes it readable.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // A counter that is full has been written to, which is all that matters.
            let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        }
    }

    /// Only what rings it from now on counts.
    pub(crate) fn hush(&self) {
        if self.rung.swap(false, Ordering::SeqCst) {
            self.drain();
        }
    }

    /// Makes it unreadable, rung or not. Whoever has rung may have been preempted between the two steps, and
    /// been hushed there: that bell, which [`hush`](Bell::hush) does not find any more, would never end.
    pub(crate) fn drain(&self) {
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
