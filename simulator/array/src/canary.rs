//! Bugs that are planted in the array on purpose, to see whether they are found.

/// A planted bug. No scenario has one unless it asks for it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// The first write through a nexus to which a unit attention was just reported is answered with
    /// GOOD, but not carried out.
    LostWrite,
}
