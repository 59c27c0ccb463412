//! Why a lab does not do what it was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a lab does not do what it was asked, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The kind, for programs.
    pub why: Why,
    /// The reason, with what to do about it; may have several lines, with carets under the words
    /// of a table.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The request is not understood, or names something that is not there.
    Invalid,
    /// There is no such thing: a rule, a file, a program.
    Unknown,
    /// It does not go with the state of the lab: no pause in this mode, nothing is held.
    Conflict,
    /// The guest or the host failed.
    Failed,
    /// The lab is ending.
    Over,
}

impl Refused {
    /// A refusal of this kind.
    pub fn new(why: Why, message: impl Into<String>) -> Self {
        Refused { why, message: message.into() }
    }
}
