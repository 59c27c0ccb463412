//! What a lab tells those who follow it.

use std::sync::Arc;

use sansim_stage::event::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Status;

/// A message to all who follow a lab.
#[derive(Debug, Clone)]
pub enum Message {
    /// The state has changed. Sent at once after a change, and then at most ten times a second.
    Status(Arc<Status>),
    /// An event, as in `events.ndjson`.
    Event(Arc<Event>),
    /// The traffic of the last tenth of a second.
    Tick(Arc<Tick>),
    /// The lab has ended. Nothing follows.
    Ended(Ended),
}

/// The end of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// Why it failed; null if somebody ended it.
    pub error: Option<String>,
}

/// The traffic since the last tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tick {
    /// The end of the tick, in seconds of story time.
    pub t: f64,
    /// Its length in seconds of story time.
    pub seconds: f64,
    /// The paths with traffic, and those without are left out.
    pub paths: Vec<PathTraffic>,
    /// Requests that the workloads have completed, and the longest time that any of them took, in
    /// seconds.
    pub completed: u64,
    /// See `completed`; `None` if none was completed.
    pub slowest: Option<f64>,
}

/// The traffic of a path: of a nexus, over all LUNs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathTraffic {
    /// The nexus: `hba0:A0`.
    pub path: String,
    /// Medium accesses (READ, WRITE) that were completed with GOOD.
    pub good: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Medium accesses that failed.
    pub failed: u64,
    /// All other commands: path checks, activation.
    pub others: u64,
    /// The latencies of some medium accesses at the array, in seconds, at most 8; the longest is
    /// always among them.
    pub latencies: Vec<f64>,
}
