//! What `sansim doctor` looks at.

use crate::ImageStore;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Good,
    /// It will work, but slower or not for long.
    Warning,
    /// Nothing can be run before this is mended.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: `qemu-system-x86_64`, `KVM`, `cache`…
    pub name: String,
    /// How it came out.
    pub health: Health,
    /// What was found: a version, a path, a size, the reason of a failure.
    pub found: String,
    /// What mends it, usually a command line; `None` when it is good.
    pub fix: Option<String>,
}

/// Looks at everything the lab needs. Starts no machine and takes well under a second.
pub fn doctor(store: &ImageStore) -> Vec<Check> {
    let _ = store;
    todo!()
}
