//! The reports that the array makes after it has released its lock.

use sansim_time::Time;

use crate::{
    ids::HbaId,
    observe::{Changed, StateChange},
};

/// Changes and doorbells that must be reported after the lock is released. An empty report does not
/// allocate.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) changes: Vec<StateChange>,
    /// The HBAs whose doorbells must be rung.
    pub(crate) ring: Vec<HbaId>,
}

impl Report {
    pub(crate) fn change(&mut self, at: Time, what: Changed) {
        self.changes.push(StateChange { at, what });
    }
}
