//! How runs of the same compare.

use std::fmt;

use serde::Serialize;

use super::{Agreement, Exact};

/// How the runs of one scenario with one seed compare. An object of kind `repeat` in `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeat {
    /// How many runs were compared.
    pub runs: u32,
    /// By what, and what came of it.
    #[serde(flatten)]
    pub compared: Compared,
}

/// What of runs was compared. In JSON `compared` is `bytes` or `stories`, beside the fields of [`Exact`]
/// or [`Loose`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "compared", rename_all = "snake_case")]
pub enum Compared {
    /// Runs in exact time: every byte of their `events.ndjson`.
    Bytes(Exact),
    /// Runs in real time: what they told, without times.
    Stories(Loose),
}

/// How the stories of runs in real time compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loose {
    /// Commands of the story that do not access the medium.
    pub control: Agreement,
    /// All commands of the story.
    pub commands: Agreement,
    /// Everything else that was told.
    pub events: Agreement,
}

impl Loose {
    /// Whether all runs told the same story.
    pub fn is_whole(&self) -> bool {
        [&self.control, &self.commands, &self.events].iter().all(|a| a.differences.is_empty())
    }
}

impl Repeat {
    /// The exit code of a program that saw only this (see the README): 1 where runs in exact time were
    /// not all shown to be identical. In real time differences are to be expected, and it is 0.
    pub fn exit_code(&self) -> u8 {
        match &self.compared {
            Compared::Bytes(exact) => u8::from(!exact.is_whole()),
            Compared::Stories(_) => 0,
        }
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.compared {
            Compared::Bytes(exact) => exact.fmt(f),
            Compared::Stories(loose) => loose.fmt(f),
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "control commands: {}", self.control.describe("command"))?;
        writeln!(f, "all commands: {}", self.commands.describe("command"))?;
        write!(f, "everything else: {}", self.events.describe("event"))
    }
}
