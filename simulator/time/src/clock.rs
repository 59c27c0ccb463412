//! The interface that all clocks implement.

use crate::Time;

/// The source of time. The HBA, the lab and the runner wait on a `Clock`, so that they work the
/// same with the host's time and with the guest's time.
pub trait Clock: Send + Sync {
    /// The current time, counted from the start of the machine.
    fn now(&self) -> Time;

    /// Calls `wake` once, at `due` or shortly after, on a thread of the clock. If `due` is in the
    /// past, it calls `wake` as soon as possible. `wake` must not block.
    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>);

    /// Stops the clock or lets it continue, with the guest. Wakers are not called while it is
    /// stopped. A clock that follows the guest stands still with the guest anyway.
    fn pause(&self, _paused: bool) {}
}
