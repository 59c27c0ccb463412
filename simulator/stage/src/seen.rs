//! What happens, as far as a driver can wait for it.

use std::fmt;

use sansim_array::StateChange;
use sansim_protocol::MapStatus;

use crate::World;

/// Something that has just happened. The [`World`] knows of it already.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'e> {
    /// A command was completed.
    Command,
    /// The array's state changed, or the array put a command under a hold.
    Change(&'e StateChange),
    /// A map shows a new status.
    Map(&'e MapStatus),
    /// The guest logged a line.
    Log(&'e str),
    /// A step is done.
    Step(&'e str),
}

/// Something that a driver waits for.
pub trait Awaited: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether it has come with what was just seen.
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool;
}
