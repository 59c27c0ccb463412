//! When an array moves LUNs without a host's asking.

use std::{num::NonZeroU32, time::Duration};

/// What an array does about ownership by itself. By default nothing: a LUN stays where it is until a
/// host asks for it, even if its owner is dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnershipPolicy {
    /// How long a controller is not on line before the next one that is takes its LUNs over.
    pub takeover: Option<Duration>,
    /// How long a controller is on line again before it gets back the LUNs that should be with it.
    pub failback: Option<Duration>,
    /// How many medium accesses in a row through a controller that does not own the LUN, but carries
    /// them out, move it there.
    pub follow_io: Option<NonZeroU32>,
    /// How often every LUN moves to the next controller, from the beginning of the story on; not
    /// zero.
    pub ping_pong: Option<Duration>,
}
