//! Why a call could not be carried out: a sentence for the user, and a kind for the lab.

use std::fmt;

pub(crate) use sansim_protocol::Failure;

/// What nearly everything here returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Says what was being done when an error came up.
pub(crate) trait Doing<T> {
    /// Turns an error into "cannot `what`: `error`".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("cannot {}: {error}", what())))
    }
}
