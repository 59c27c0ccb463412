//! Whether something went to a device or came back, for those who look at what may have changed by it.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;

/// Becomes readable when there was something since the last [`Activity::forget`].
pub(crate) struct Activity {
    noted: AtomicBool,
    bell: OwnedFd,
}

impl Activity {
    pub(crate) fn new() -> rustix::io::Result<Activity> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Activity { noted: AtomicBool::new(false), bell })
    }

    /// A request has gone out just now, or an interrupt has come back.
    pub(crate) fn note(&self) {
        if !self.noted.swap(true, Ordering::SeqCst) {
            // A counter that is full has been written to, which is all that matters.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }

    /// From now on only what comes later counts.
    pub(crate) fn forget(&self) {
        if self.noted.swap(false, Ordering::SeqCst) {
            let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        }
    }
}

impl AsFd for Activity {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
