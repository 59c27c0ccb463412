//! A run of the past, read from its directory.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use sansim_stage::event::Event;
use serde::{Deserialize, Serialize};

/// The most bytes of a summary.
const MOST_SUMMARY: u64 = 64 << 20;
/// The most bytes of a line of events.ndjson: a program's output is in one.
const LONGEST_LINE: u64 = 64 << 20;

/// Why a run cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct PastError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What is needed of `summary.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PastSummary {
    /// The scenario's file.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// The verdict.
    pub verdict: String,
    /// The reason for any verdict except pass.
    pub reason: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Label of the guest image.
    pub image: String,
    /// `uname -r` of the guest.
    pub kernel: String,
    /// The device handlers attached to the disks.
    pub handler: String,
    /// `dmsetup` or `multipathd`.
    pub manager: String,
    /// QEMU's version.
    pub qemu: String,
    /// Seconds of scenario time that the story took.
    pub simulated_s: f64,
    /// The most pg_init rounds.
    pub rounds: u32,
    /// The workload's counters.
    pub io: PastIo,
    /// The number of the story's commands by operation and controller.
    pub commands: BTreeMap<String, BTreeMap<String, u64>>,
    /// Every expectation with its result.
    pub expectations: Vec<PastExpectation>,
}

/// The workload's part of a [`PastSummary`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PastIo {
    /// Number of completed reads.
    pub reads: u64,
    /// Number of completed writes.
    pub writes: u64,
    /// Number of failed requests.
    pub errors: u64,
    /// Number of blocks with wrong contents.
    pub corrupt: u64,
    /// Number of requests that never completed.
    pub stuck: u64,
    /// The longest gap without a completion while I/O was in flight, in seconds.
    pub longest_stall_s: f64,
}

/// An expectation of a past run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PastExpectation {
    /// The expectation in words.
    pub text: String,
    /// Whether it held.
    pub ok: bool,
    /// What was seen.
    pub seen: String,
}

/// A run of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The name of its directory.
    pub name: String,
    /// Its summary.
    pub summary: PastSummary,
    /// Its events, in the order of the file.
    pub events: Vec<Event>,
}

impl Past {
    /// Reads a run's directory.
    ///
    /// # Errors
    /// If it is none, or its files are not what this version of sansim writes.
    pub fn read(dir: &Path) -> Result<Past, PastError> {
        let path = dir.join("summary.json");
        let wrong = |path: &Path, why: &dyn ToString| PastError {
            path: path.to_owned(),
            why: why.to_string(),
        };
        let text = File::open(&path).and_then(|file| {
            let mut text = String::new();
            file.take(MOST_SUMMARY).read_to_string(&mut text).map(|_| text)
        });
        let text = text.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                wrong(&path, &"this is no directory of a run that has ended")
            }
            _ => wrong(&path, &error),
        })?;
        let summary = serde_json::from_str(&text).map_err(|error| wrong(&path, &error))?;
        let path = dir.join("events.ndjson");
        let file = File::open(&path).map_err(|error| wrong(&path, &error))?;
        let events = events(BufReader::new(file)).map_err(|error| wrong(&path, &error))?;
        // `latest` is a link.
        let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Past { name, summary, events })
    }

    /// The scenario's name: its file without directories and ending.
    pub fn story(&self) -> &str {
        Path::new(&self.summary.scenario).file_stem().and_then(|it| it.to_str()).unwrap_or_default()
    }
}

fn events(mut file: impl BufRead) -> io::Result<Vec<Event>> {
    let (mut events, mut line, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        if file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(events);
        }
        number += 1;
        match serde_json::from_slice(&line) {
            Ok(event) => events.push(event),
            // The line that says how many events are left out.
            Err(_) if is_cut(&line) => {}
            Err(error) => return Err(io::Error::other(format!("line {number}: {error}"))),
        }
    }
}

fn is_cut(line: &[u8]) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(line);
    value.is_ok_and(|value| value.get("kind").is_some_and(|kind| kind == "cut"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_run_is_answered_with_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let error = |text: &str| {
            let error = Past::read(dir.path()).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        error("no directory of a run");
        std::fs::write(dir.path().join("summary.json"), "{").unwrap();
        error("summary.json");
        let summary = serde_json::to_string(&PastSummary::default()).unwrap();
        std::fs::write(dir.path().join("summary.json"), summary).unwrap();
        error("events.ndjson");
        std::fs::write(
            dir.path().join("events.ndjson"),
            "{\"t\":1.0,\"kind\":\"cut\",\"left_out\":2}\n{}\n",
        )
        .unwrap();
        error("line 2");
    }
}
