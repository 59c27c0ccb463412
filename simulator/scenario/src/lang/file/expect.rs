//! `[[expect]]`: what must come of a story.

use std::time::Duration;

use sansim_array::{ControllerId, OpMatcher, PortId, Sense};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LunOwner, Many, Name, StatusName};
use crate::lang::value::{At, Comparison, TimeSpan, VersionRange};

/// Something that must be so: at the end of the story, unless `by`, `at` or `never` says otherwise.
/// Everything in one of these tables must be so at the same time.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of what must be so")]
pub struct Expect {
    /// It must be so at some time not later than this. Limits on `io` must hold at the end as well.
    pub by: Option<Name<TimeSpan>>,
    /// It must be so at this time.
    pub at: Option<Name<TimeSpan>>,
    /// With true: it must not be so at any time of the story.
    pub never: Option<At<bool>>,
    /// The LUN whose map `rounds`, `paths`, `path`, `group` and `uevents` are about. Default: the
    /// workload's.
    pub lun: Option<At<u64>>,
    /// A LUN is owned by a controller.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub owner: Many<LunOwner>,
    /// Totals of the workload.
    pub io: Option<Io>,
    /// How many commands of a kind were completed.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub commands: Many<Commands>,
    /// The highest round of pg_init that was seen in the story; 1 is a pg_init without retry.
    pub rounds: Option<Comparison<u64>>,
    /// The round of pg_init that the map shows at the end of the story.
    pub rounds_at_end: Option<At<Comparison<u64>>>,
    /// How many paths are failed or active.
    pub paths: Option<Paths>,
    /// The state of certain paths.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub path: Many<PathWithState>,
    /// The path groups.
    pub group: Option<Group>,
    /// How many lines of a kind the guest's kernel has logged.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub log: Many<Log>,
    /// What a program that a step ran has answered.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub ran: Many<RanTable>,
    /// How often a fault rule has fired.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub fault: Many<FaultFired>,
    /// How many uevents the map has sent for failed or reinstated paths.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub uevents: Many<Uevents>,
    /// Expected on these kernels only. Default: on all of them.
    pub kernel: Option<Name<VersionRange>>,
    /// Expected with these versions of multipath-tools only. Default: with all of them.
    pub multipath_tools: Option<Name<VersionRange>>,
    /// What to tell a reader when it is not so.
    pub because: Option<String>,
    /// Kernels on which it is known not to be so.
    #[serde(default, skip_serializing_if = "Many::is_empty")]
    pub known: Many<KnownFailure>,
}

/// Totals of the workload.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { errors = 0, corrupt = 0 }")]
pub struct Io {
    /// Requests that failed.
    pub errors: Option<Comparison<u64>>,
    /// Blocks that did not hold what they should.
    pub corrupt: Option<Comparison<u64>>,
    /// The longest gap without a completion while I/O was in flight.
    pub longest_stall: Option<Comparison<Duration>>,
    /// Reads completed.
    pub reads: Option<Comparison<u64>>,
    /// Writes completed.
    pub writes: Option<Comparison<u64>>,
    /// Requests that never came back.
    pub stuck: Option<Comparison<u64>>,
}

/// A number of commands. All that is given must be true of a command for it to count; without a
/// number at least one is expected.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { op = \"MODE SELECT\", at_least = 3 }")]
pub struct Commands {
    /// The operation, as in a fault rule.
    pub op: Option<Name<OpMatcher>>,
    /// The controller it came to.
    pub controller: Option<Name<ControllerId>>,
    /// The port it came to.
    pub port: Option<Name<PortId>>,
    /// The HBA it came from.
    pub hba: Option<At<u64>>,
    /// The LUN it was for.
    pub lun: Option<At<u64>>,
    /// The sense it was answered with.
    pub sense: Option<Name<Sense>>,
    /// The SCSI status it was answered with.
    pub status: Option<StatusName>,
    /// The fault rule that decided about it.
    pub fault: Option<At<String>>,
    /// The part of the run in which it came. Default: "story".
    pub stage: Option<StageName>,
    /// The shortest time from one's arrival to that of the next; there must be two.
    pub gap: Option<Comparison<Duration>>,
    /// How many.
    pub count: Option<Comparison<u64>>,
    /// So many or more.
    pub at_least: Option<u64>,
    /// So many or fewer.
    pub at_most: Option<u64>,
    /// Just so many.
    pub exactly: Option<u64>,
}

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageName {
    /// The guest looks for its disks and builds its maps.
    Discovery,
    /// From the first step's time zero on.
    Story,
    /// Both.
    Any,
}

/// Numbers of paths.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { failed = 2 }")]
pub struct Paths {
    /// Failed ones.
    pub failed: Option<Comparison<u64>>,
    /// Active ones.
    pub active: Option<Comparison<u64>>,
}

/// The state of every path through a port.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { port = \"A0\", state = \"failed\" }")]
pub struct PathWithState {
    /// The port.
    pub port: Name<PortId>,
    /// The HBA. Default: every one that sees the port.
    pub hba: Option<At<u64>>,
    /// The state.
    pub state: PathStateName,
}

/// State of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PathStateName {
    /// In use.
    Active,
    /// Not to be used until it is reinstated.
    Failed,
}

/// The path groups of a map.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { current = 2 }")]
pub struct Group {
    /// The number of the current one, from 1.
    pub current: Option<Comparison<u64>>,
    /// How many are bypassed.
    pub bypassed: Option<Comparison<u64>>,
}

/// A number of kernel log lines; without a number at least one is expected.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { contains = \"Failing path\" }")]
pub struct Log {
    /// Text of the line.
    pub contains: Option<At<String>>,
    /// A regular expression that matches somewhere in the line.
    pub matches: Option<At<String>>,
    /// How many.
    pub count: Option<Comparison<u64>>,
    /// So many or more.
    pub at_least: Option<u64>,
    /// So many or fewer.
    pub at_most: Option<u64>,
    /// Just so many.
    pub exactly: Option<u64>,
}

/// What a program has answered.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { step = \"name\", code = 0 }")]
pub struct RanTable {
    /// The step that ran it.
    pub step: At<String>,
    /// Its exit code.
    pub code: Option<Comparison<u64>>,
    /// Text of its output, standard error included.
    pub contains: Option<At<String>>,
    /// A regular expression that matches somewhere in its output.
    pub matches: Option<At<String>>,
}

/// How often a fault rule has fired.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { name = \"fault-1\", fired = 2 }")]
pub struct FaultFired {
    /// The rule.
    pub name: At<String>,
    /// How often.
    pub fired: Comparison<u64>,
}

/// A number of path uevents; without a number at least one is expected.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { action = \"PATH_FAILED\", count = 2 }")]
pub struct Uevents {
    /// Which.
    pub action: UeventName,
    /// How many.
    pub count: Option<Comparison<u64>>,
    /// So many or more.
    pub at_least: Option<u64>,
    /// So many or fewer.
    pub at_most: Option<u64>,
    /// Just so many.
    pub exactly: Option<u64>,
}

/// A path uevent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UeventName {
    /// A path has failed.
    PathFailed,
    /// A path is in use again.
    PathReinstated,
}

/// Versions that are known to fail an expectation: of the kernel, of multipath-tools, or of both.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { kernel = \"< 6.7\", because = \"2274bd5e3a2c\" }"
)]
pub struct KnownFailure {
    /// Which kernels.
    pub kernel: Option<Name<VersionRange>>,
    /// Which versions of multipath-tools.
    pub multipath_tools: Option<Name<VersionRange>>,
    /// Why: a commit, a report, a sentence.
    pub because: String,
}
