//! The result of comparing repeated runs.

use std::fmt;

use serde::Serialize;

use super::{Agreement, Exact};

/// The comparison of repeated runs of one scenario with one seed. An object of kind `repeat` in `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeat {
    /// Number of runs compared.
    pub runs: u32,
    /// What was compared, and the result.
    #[serde(flatten)]
    pub compared: Compared,
}

/// The kind of comparison. In JSON, `compared` is `bytes` or `stories`, next to the fields of [`Exact`] or
/// [`Loose`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "compared", rename_all = "snake_case")]
pub enum Compared {
    /// Runs in exact time: every byte of their `events.ndjson`.
    Bytes(Exact),
    /// Runs in real time: commands and events, without times.
    Stories(Loose),
}

/// The comparison of runs in real time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loose {
    /// The story's commands that do not access the medium.
    pub control: Agreement,
    /// The story's commands, medium accesses included.
    pub commands: Agreement,
    /// All other events.
    pub events: Agreement,
}

impl Loose {
    /// Whether all three sequences agree in all runs.
    pub fn is_whole(&self) -> bool {
        [&self.control, &self.commands, &self.events].iter().all(|a| a.differences.is_empty())
    }
}

impl Repeat {
    /// The exit code for this result alone (see the README): 1 unless all runs in exact time are identical. In
    /// real time it is always 0, because differences are normal there.
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
