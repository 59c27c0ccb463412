//! The guest's `CLOCK_MONOTONIC`.

use std::time::Duration;

use rustix::event::{PollFd, poll};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds of `CLOCK_MONOTONIC`, which starts at boot and does not count suspend.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// Polls `fds`, for at most `timeout` (`None`: no limit). Returns whether one of them is ready. EINTR
/// counts as a timeout.
pub(crate) fn wait_ready(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> bool {
    let timespec = timeout.map(|t| Timespec {
        tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(t.subsec_nanos()),
    });
    matches!(poll(fds, timespec.as_ref()), Ok(ready) if ready > 0)
}
