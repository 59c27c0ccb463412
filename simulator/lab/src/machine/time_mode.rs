//! What drives a guest's clock.

use std::fmt;

/// What drives the guest's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeMode {
    /// The host's clock does.
    Real,
    /// The guest's own instructions do, and while it idles its clock jumps to its next timer.
    /// TCG only.
    Skip,
}

impl fmt::Display for TimeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TimeMode::Real => "real",
            TimeMode::Skip => "skip",
        })
    }
}
