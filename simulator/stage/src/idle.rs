//! What a story had and did not use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something of a story that came to nothing, so that nothing was tested by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// What it is.
    pub of: IdleKind,
    /// What it did not do, in words: `fault "not now" never matched`.
    pub what: String,
    /// The reason, in words: `3 MODE SELECTs were seen, none to controller B`.
    pub why: String,
}

/// What can come to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleKind {
    /// Disks or a map that are not there, though nothing is expected of them.
    Discovery,
    /// The expectations: none applied, or they ask only that nothing happens where nothing did.
    Expectations,
    /// A fault rule that never fired.
    Fault,
    /// A step that never happened, or that changed nothing.
    Step,
    /// A program that failed, though nothing expects it to.
    Program,
    /// A workload that did no I/O.
    Workload,
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}
