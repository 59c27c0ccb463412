//! What the array has to tell once it has let go of its lock.

use sansim_time::Time;

use crate::{
    ids::HbaId,
    observe::{Changed, StateChange},
};

/// What must be told once the lock is released. Empty, it costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) changes: Vec<StateChange>,
    /// Whose doorbells to ring.
    pub(crate) ring: Vec<HbaId>,
}

impl Report {
    /// Notes a change.
    pub(crate) fn change(&mut self, at: Time, what: Changed) {
        self.changes.push(StateChange { at, what });
    }
}
