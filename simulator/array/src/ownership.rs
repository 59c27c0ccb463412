//! The ownership policy of an array.

use std::{num::NonZeroU32, time::Duration};

/// When an array moves LUNs without a request from a host. By default it never does: a LUN stays
/// with its owner until a host requests the move, even if the owner has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnershipPolicy {
    /// How long a controller must be away before the next online controller takes over its LUNs.
    /// `None`: never.
    pub takeover: Option<Duration>,
    /// How long a controller must be back online before its preferred LUNs return to it. `None`:
    /// never.
    pub failback: Option<Duration>,
    /// The number of consecutive medium accesses through a controller that does not own the LUN,
    /// but serves them, after which the LUN moves to that controller. `None`: never.
    pub follow_io: Option<NonZeroU32>,
    /// The interval at which every LUN moves to the next controller, from the beginning of the
    /// story. It must not be zero. `None`: never.
    pub ping_pong: Option<Duration>,
}
