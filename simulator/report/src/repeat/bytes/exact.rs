//! How the bytes of several runs compare.

use std::fmt;

use serde::Serialize;

use super::{keys::Key, told::Told};

/// How the `events.ndjson` of runs in exact time compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exact {
    /// The run that the others are compared with: the first whose file could be read. None if no file
    /// could be.
    pub base: Option<Base>,
    /// Runs with the bytes of that one, itself included.
    pub identical: u32,
    /// Where others leave it, one each.
    pub differences: Vec<Departure>,
    /// Runs that could not be compared.
    pub not_compared: Vec<Uncompared>,
}

/// The run that others are compared with, and its `events.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// The run, from 1.
    pub run: u32,
    /// The size of its file.
    pub bytes: u64,
    /// The lines of its file.
    pub events: u64,
    /// BLAKE3 of its file, in hexadecimal, as `b3sum` prints it.
    pub blake3: String,
}

/// Where a run leaves the one that it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Departure {
    /// The run, from 1.
    pub run: u32,
    /// The first byte that differs, from 1, as `cmp` counts.
    pub byte: u64,
    /// The line that it is in, from 1: the event.
    pub line: u64,
    /// Its place in that line, in bytes from 1.
    pub column: u64,
    /// What each of the two tells there.
    #[serde(flatten)]
    pub parting: Parting,
}

/// How a run parts from the one that it is compared with. In JSON `how` is `differs`, `ends` or
/// `goes_on`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Parting {
    /// It tells something else.
    Differs {
        /// What it tells.
        tells: Told,
        /// What the other one tells.
        instead_of: Told,
        /// The keys that differ, if both are events.
        keys: Vec<Key>,
    },
    /// It ends, and the other one goes on.
    Ends {
        /// What the other one tells.
        instead_of: Told,
    },
    /// It goes on, and the other one has ended.
    GoesOn {
        /// What it tells.
        tells: Told,
    },
}

/// A run that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncompared {
    /// The run, from 1.
    pub run: u32,
    /// Why not.
    pub why: String,
}

impl Exact {
    /// How many runs were compared.
    pub(super) fn runs(&self) -> u32 {
        self.identical + self.differences.len() as u32
    }

    /// Whether all runs were compared and are identical.
    pub fn is_whole(&self) -> bool {
        self.differences.is_empty() && self.not_compared.is_empty()
    }
}

/// How many are identical; the first that is not, in detail, the numbers of the others; and those that
/// were not compared.
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

/// The numbers of further runs that differ.
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

/// What is different in one event, or that it is another event.
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

/// `latency_s: 0.001 instead of 0.002`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { key, tells, instead_of } = self;
        let shown = |value: &Option<String>| value.clone().unwrap_or("nothing".to_owned());
        write!(f, "{key}: {} instead of {}", shown(tells), shown(instead_of))
    }
}
