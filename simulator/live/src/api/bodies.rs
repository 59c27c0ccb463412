//! What is sent to each route, and what comes back, where it is not a type of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Did, Given};

/// How long a wait or a program may take if nothing is said, in seconds of story time.
fn half_a_minute() -> f64 {
    30.0
}

/// Steps, all to be done at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// The steps.
    pub steps: Vec<Given>,
}

/// The acts that were done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// The acts, in their order.
    pub did: Vec<Did>,
}

/// A fault rule that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// What is probably not as intended, in words; may have several lines.
    pub warning: Option<String>,
    /// Whether it waits for `go`.
    pub waits: bool,
}

/// An expectation to wait for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitFor {
    /// The expectation.
    pub expect: Given,
    /// How long to wait at most, in seconds of story time.
    #[serde(default = "half_a_minute")]
    pub for_s: f64,
}

/// A program to run in the guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// How long it may take, in seconds of story time.
    #[serde(default = "half_a_minute")]
    pub for_s: f64,
}

/// The output of `multipath -ll`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MultipathText {
    /// When the guest was asked, in seconds of story time.
    pub t: f64,
    /// The output.
    pub text: String,
}

/// The time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    /// Story time in seconds.
    pub t: f64,
}

/// The capture: on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureChange {
    /// Whether commands are to be captured.
    pub on: bool,
}

/// The capture's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureFile {
    /// The path on the host.
    pub file: String,
}

/// Words of `sansim ctl`; the last one is to be completed, and may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The words.
    pub words: Vec<String>,
}

/// Nothing to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Messages that a follower was too slow for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// The number of messages.
    pub count: u64,
}
