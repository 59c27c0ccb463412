//! Runs that were asked for and have no verdict.

use std::fmt;

use serde::Serialize;

/// A run that was asked for and has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unjudged {
    /// The scenario's file.
    pub scenario: String,
    /// Label of the guest image.
    pub image: String,
    /// Number of the run with `--repeat`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// What became of the run.
    pub how: How,
    /// The reason, in words.
    pub reason: String,
}

/// What became of a run without a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was not started.
    NotStarted,
    /// The user interrupted it.
    Interrupted,
    /// It was left to somebody else, who had no verdict to give.
    Left,
    /// It could not be carried out, or its directory could not be written.
    Failed,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            How::NotStarted => "not started",
            How::Interrupted => "interrupted",
            How::Left => "left",
            How::Failed => "failed",
        })
    }
}
