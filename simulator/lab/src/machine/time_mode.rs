//! What drives a guest's clock: real or skipped time.

use std::fmt;

/// What drives a guest's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeMode {
    /// The host's clock; the guest runs in real time.
    Real,
    /// The guest's instruction counter. While the guest idles, its clock jumps to the next timer. TCG only.
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
