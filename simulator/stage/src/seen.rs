//! The observations that a driver can wait for.

use std::fmt;

use sansim_array::StateChange;
use sansim_protocol::MapStatus;

use crate::World;

/// An observation. The [`World`] already includes it.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'e> {
    /// A command was completed.
    Command,
    /// The state of the array changed, or the array put a command under a hold.
    Change(&'e StateChange),
    /// The status of a map was read.
    Map(&'e MapStatus),
    /// The guest logged a line.
    Log(&'e str),
    /// A step has been completed.
    Step(&'e str),
}

/// An event that a driver waits for.
pub trait Awaited: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether the event has occurred with this observation.
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool;
}
