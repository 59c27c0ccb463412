//! The result of a comparison of bytes.

use std::fmt;

use serde::Serialize;

use super::{keys::Key, told::Told};

/// The result of comparing the `events.ndjson` of runs in exact time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exact {
    /// The run that the others are compared with: the first with a readable file. Null if there is none.
    pub base: Option<Base>,
    /// Number of runs identical to that run, including itself.
    pub identical: u32,
    /// The first difference of each run that is not identical.
    pub differences: Vec<Departure>,
    /// The runs that could not be compared.
    pub not_compared: Vec<Uncompared>,
}

/// The run that the others are compared with, and its `events.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Number of the run, from 1.
    pub run: u32,
    /// Size of its file, in bytes.
    pub bytes: u64,
    /// Number of lines in its file.
    pub events: u64,
    /// BLAKE3 of its file, in hexadecimal, as `b3sum` prints it.
    pub blake3: String,
}

/// The first difference between a run and the one that it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Departure {
    /// Number of the run, from 1.
    pub run: u32,
    /// The first byte that differs, from 1, as `cmp` counts.
    pub byte: u64,
    /// Line of that byte, from 1: the number of the event.
    pub line: u64,
    /// Position of that byte in its line, in bytes from 1.
    pub column: u64,
    /// The contents of both files at that point.
    #[serde(flatten)]
    pub parting: Parting,
}

/// How a run differs from the one that it is compared with. In JSON, `how` is `differs`, `ends` or
/// `goes_on`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Parting {
    /// Both files continue, with different bytes.
    Differs {
        /// This run's line.
        tells: Told,
        /// The other run's line.
        instead_of: Told,
        /// The keys that differ, if both lines are events.
        keys: Vec<Key>,
    },
    /// This run's file ends, and the other one continues.
    Ends {
        /// The other run's line.
        instead_of: Told,
    },
    /// This run's file continues, and the other one has ended.
    GoesOn {
        /// This run's line.
        tells: Told,
    },
}

/// A run that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncompared {
    /// Number of the run, from 1.
    pub run: u32,
    /// Why it could not be compared.
    pub why: String,
}

impl Exact {
    /// Number of runs that were compared.
    pub(super) fn runs(&self) -> u32 {
        self.identical + self.differences.len() as u32
    }

    /// Whether all runs were compared and are identical.
    pub fn is_whole(&self) -> bool {
        self.differences.is_empty() && self.not_compared.is_empty()
    }
}

/// The number of identical runs; the first difference in detail, with the numbers of the other runs that
/// differ; and the runs that were not compared.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            None => write!(f, "no run left an events.ndjson that could be read")?,
            Some(Base { run, bytes, events, blake3 }) => {
                write!(
                    f,
                    "events.ndjson: {} of {} are identical\nthat of run {run}: {events} events, {bytes} \
                     bytes, BLAKE3 {blake3}",
                    self.identical,
                    self.runs()
                )?;
                if let [first, others @ ..] = self.differences.as_slice() {
                    first.describe(*run, f)?;
                    list(others, f)?;
                }
            }
        }
        for Uncompared { run, why } in &self.not_compared {
            let why = why.lines().next().unwrap_or_default();
            write!(f, "\nrun {run} was not compared: {why}")?;
        }
        Ok(())
    }
}

/// Lists the numbers of further runs that differ.
fn list(others: &[Departure], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if others.is_empty() {
        return Ok(());
    }
    let runs: Vec<String> = others.iter().map(|other| other.run.to_string()).collect();
    write!(f, "\nothers that differ: {}", runs.join(", "))
}

impl Departure {
    fn describe(&self, base: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Departure { run, byte, line, column, parting } = self;
        let place = format!("at byte {byte} (event {line}, its byte {column})");
        match parting {
            Parting::Differs { tells, instead_of, keys } => {
                write!(f, "\nrun {run} differs from run {base} {place}")?;
                describe_difference(tells, instead_of, keys, f)
            }
            Parting::Ends { instead_of } => {
                write!(f, "\nrun {run} ends {place}, where run {base} goes on")?;
                write!(f, "\n  instead of {instead_of}")
            }
            Parting::GoesOn { tells } => {
                write!(f, "\nrun {run} goes on {place}, where run {base} ends\n  {tells}")
            }
        }
    }
}

/// Describes the difference within one event, or that the events are different ones.
fn describe_difference(
    tells: &Told,
    instead_of: &Told,
    keys: &[Key],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match (&tells.subject, &instead_of.subject) {
        (Some(is), Some(was)) if is.is_that_of(was) && !keys.is_empty() => {
            write!(f, "\n  {is}")?;
            keys.iter().try_for_each(|key| write!(f, "\n  {key}"))
        }
        _ => write!(f, "\n  {tells}\n  instead of {instead_of}"),
    }
}

/// For instance `latency_s: 0.001 instead of 0.002`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { key, tells, instead_of } = self;
        let shown = |value: &Option<String>| value.clone().unwrap_or("nothing".to_owned());
        write!(f, "{key}: {} instead of {}", shown(tells), shown(instead_of))
    }
}
