//! What a lab tells those who follow it.

use std::sync::Arc;

use sansim_stage::event::{CommandEvent, Event, What};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{ArrayStatus, ControllerStatus, LinkStatus, LunStatus, Status};

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

/// The last minutes of a lab, for a page that is opened later. Each list is oldest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Past {
    /// The changes of the state.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<SanState>")]
    pub states: Vec<Arc<SanState>>,
    /// The traffic.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<Tick>")]
    pub ticks: Vec<Arc<Tick>>,
    /// The events, without those that the ticks have counted.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub events: Vec<Arc<Event>>,
}

fn shared<T: Serialize, S: Serializer>(list: &[Arc<T>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(AsRef::as_ref))
}

impl Past {
    /// Whether an event is left out, because the ticks have it: a READ or a WRITE with GOOD that no
    /// fault rule has caught.
    pub(crate) fn leaves_out(event: &Event) -> bool {
        let access = |op: &str| op.starts_with("READ(") || op.starts_with("WRITE(");
        let counted = |it: &CommandEvent| access(&it.op) && !it.failed() && it.fault.is_none();
        matches!(&event.what, What::Command(command) if counted(command))
    }
}

/// How the SAN stood at a time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SanState {
    /// When, in seconds of story time.
    pub t: f64,
    /// As in the status.
    pub links: Vec<LinkStatus>,
    /// As in the status.
    pub arrays: Vec<ArrayStatus>,
    /// As in the status.
    pub witness: Option<bool>,
    /// As in the status.
    pub controllers: Vec<ControllerStatus>,
    /// As in the status.
    pub luns: Vec<LunStatus>,
}

impl SanState {
    /// How the SAN stands by this status.
    pub(crate) fn of(status: &Status) -> Self {
        SanState {
            t: status.clock.t,
            links: status.links.clone(),
            arrays: status.arrays.clone(),
            witness: status.witness,
            controllers: status.controllers.clone(),
            luns: status.luns.clone(),
        }
    }

    /// Whether anything but the time is different.
    pub(crate) fn differs(&self, other: &SanState) -> bool {
        self.links != other.links
            || self.arrays != other.arrays
            || self.witness != other.witness
            || self.controllers != other.controllers
            || self.luns != other.luns
    }
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
