//! The clock that everything waits on.

use crate::Time;

/// Where time comes from. The HBA, the lab and the runner all wait through one of these, so that
/// none of them knows whether the time is the host's or the guest's.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;

    /// Calls `wake` once, at `due` or soon after it, on a thread of the clock's. A point that has
    /// passed is due at once. `wake` must not block.
    fn call_at(&self, due: Time, wake: Box<dyn FnOnce() + Send>);
}
