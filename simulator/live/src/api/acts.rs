//! What a lab is asked to do, and what came of it.

use sansim_protocol::ProgramEnd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step, fault rule, expectation or workload, as it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// TOML as in a scenario file, without the header: `fail = "controller A"`.
    Toml(String),
    /// The words of `sansim ctl`: `["fail", "controller", "A"]`.
    Words(Vec<String>),
}

/// An act that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Did {
    /// When it was done, in seconds of story time.
    pub t: f64,
    /// The name of the step.
    pub name: String,
    /// The act in words: `fail controller A`.
    pub words: String,
    /// The step on one line of TOML.
    pub toml: String,
    /// The command: `sansim ctl fail controller A`.
    pub ctl: String,
    /// What is probably not as intended, in words; may have several lines.
    pub warning: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether it waits for `go`, or for its end in the guest.
    pub pending: bool,
    /// What a program brought that it ran.
    pub ran: Option<Ran>,
}

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// The exit code; null if the program was killed.
    pub code: Option<i32>,
    /// What killed the program: the signal, `SIGSEGV`, or `time limit`; null if it exited.
    pub killed_by: Option<String>,
    /// Its standard output, at most 64 KiB.
    pub stdout: String,
    /// Its standard error, at most 64 KiB.
    pub stderr: String,
}

impl From<ProgramEnd> for Ran {
    fn from(end: ProgramEnd) -> Ran {
        let ProgramEnd { ended, stdout, stderr, .. } = end;
        Ran { code: ended.code(), killed_by: ended.killed_by(), stdout, stderr }
    }
}

/// The answer to a wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// The expectation in words.
    pub text: String,
    /// Whether it held in time.
    pub ok: bool,
    /// What was seen, in words.
    pub seen: String,
    /// When this was decided, in seconds of story time.
    pub t: f64,
}

/// A change of the workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IoChange {
    /// Starts a workload, or replaces the one on its LUN.
    Start(Given),
    /// Stops the workload of a LUN, and reads back what it has written.
    Stop {
        /// The LUN.
        lun: u16,
    },
}

/// A change of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeChange {
    /// The guest and the array stand still.
    Pause,
    /// They go on.
    Resume,
    /// Idle time is skipped for this many seconds of story time. Only in skipped time.
    Skip(f64),
    /// Idle time is skipped until something happens. Only in skipped time.
    ToNextEvent,
}

/// A change of the guided tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TourChange {
    /// Goes on to the next caption.
    Next,
    /// Goes on by itself from now on.
    Auto,
    /// Waits at each caption from now on.
    Manual,
}

/// A saved story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    /// The scenario file.
    pub toml: String,
    /// What is not in it, and why, in sentences for people.
    pub left_out: Vec<String>,
}

/// A candidate for the completion of a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The word.
    pub value: String,
    /// What it means.
    pub help: String,
}

/// The ends of a terminal in the guest, for a client that shows it.
#[derive(Debug)]
pub struct Terminal {
    /// Input for the program.
    pub input: tokio::sync::mpsc::Sender<sansim_stage::Input>,
    /// Output of the program. The lab closes the terminal when nobody reads.
    pub output: tokio::sync::mpsc::Receiver<Vec<u8>>,
    /// The exit code, when the program has ended; `None` in it if it was killed.
    pub ended: tokio::sync::oneshot::Receiver<Option<i32>>,
}
