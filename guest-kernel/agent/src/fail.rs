//! Why a call failed: a sentence for the user, and a kind for the lab.

use std::fmt;

pub(crate) use sansim_protocol::Failure;

/// The agent's result type.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Adds to an error what was being done.
pub(crate) trait Doing<T> {
    /// Turns an error into "cannot `what`: `error`".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("cannot {}: {error}", what())))
    }
}
