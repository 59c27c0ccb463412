//! Bugs that are planted in the array on purpose, to see whether they are found.

/// A planted bug. No scenario has one unless it asks for it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// The first write through a nexus to which a unit attention was just reported is answered with
    /// GOOD, but not carried out.
    LostWrite,
    /// The first read of a LUN after it has moved returns what was there before the last write: the
    /// controller that took over has it in its cache.
    StaleRead,
}

impl Canary {
    /// Whether it needs the data that was overwritten.
    pub(crate) fn looks_back(self) -> bool {
        self == Canary::StaleRead
    }
}
