//! Why a call could not be carried out: one sentence for the user.

use std::fmt;

/// The reason of a failure, fit to be shown: what was tried, on what, and the system's own reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure with this sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What nearly everything here returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Says what was being done when an error came up.
pub(crate) trait Doing<T> {
    /// Turns an error into "cannot `what`: `error`".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure(format!("cannot {}: {error}", what())))
    }
}
