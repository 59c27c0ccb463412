//! What must come of a story, resolved.

use std::{fmt, time::Duration};

use regex::Regex;
use sansim_array::{ControllerId, HbaId, Lun, OpMatcher, PortId, Sense, Stage, Status};

use super::PathPattern;
use crate::lang::value::{Comparison, VersionRange};

/// Something that must be so.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// When it must be so.
    pub when: Deadline,
    /// What must be so, all of it at the same time; at least one.
    pub conditions: Vec<Condition>,
    /// What to tell a reader when it is not; empty if nothing was written.
    pub because: String,
    /// Where it is expected at all.
    pub on: Ranges,
    /// Where it is known not to be so.
    pub known: Vec<Known>,
}

impl Expectation {
    /// The entry that says that it is known to fail with these versions.
    pub fn known_on(&self, versions: &Versions) -> Option<&Known> {
        self.known.iter().find(|known| known.on.contain(versions))
    }
}

/// What runs in a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The kernel's `uname -r`.
    pub kernel: String,
    /// That of multipath-tools; `None` when there are none, or nobody has asked.
    pub multipath_tools: Option<String>,
}

/// Versions of what runs in a guest: all that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// Of the kernel.
    pub kernel: Option<VersionRange>,
    /// Of multipath-tools.
    pub multipath_tools: Option<VersionRange>,
}

impl Ranges {
    /// Whether all of them fit. A version that is not known fits nothing.
    pub fn contain(&self, versions: &Versions) -> bool {
        let tools = versions.multipath_tools.as_deref();
        self.kernel.as_ref().is_none_or(|range| range.contains(&versions.kernel))
            && self
                .multipath_tools
                .as_ref()
                .is_none_or(|range| tools.is_some_and(|version| range.contains(version)))
    }
}

/// When an expectation must be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// At some time not later than this. Limits on I/O must hold then and at the end too.
    By(Duration),
    /// At this very time.
    At(Duration),
    /// At the end of the story.
    End,
    /// At no time of the story.
    Never,
}

/// Versions that are known to break an expectation, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Which.
    pub on: Ranges,
    /// Why: a commit, a report, a sentence.
    pub because: String,
}

/// One thing that can be so or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A LUN is owned by a controller.
    Owner {
        /// The LUN.
        lun: Lun,
        /// Its owner.
        controller: ControllerId,
    },
    /// Totals of the workload.
    Io(IoLimits),
    /// How many commands of a kind were completed.
    Commands(Box<CommandCount>),
    /// The highest round of pg_init seen in the story.
    Rounds {
        /// The LUN whose map is meant.
        lun: Lun,
        /// What it must be.
        count: Comparison<u64>,
    },
    /// The round of pg_init the map shows now.
    RoundsNow {
        /// The LUN whose map is meant.
        lun: Lun,
        /// What it must be.
        count: Comparison<u64>,
    },
    /// How many paths of a map are failed or active.
    Paths(PathTotals),
    /// The state of some paths.
    Path(PathExpected),
    /// The current path group of a map, from 1.
    Group {
        /// The LUN whose map is meant.
        lun: Lun,
        /// What it must be.
        current: Comparison<u64>,
    },
    /// How many path groups of a map are bypassed.
    Bypassed {
        /// The LUN whose map is meant.
        lun: Lun,
        /// What it must be.
        count: Comparison<u64>,
    },
    /// How many kernel log lines of a kind there were.
    Log(LogCount),
    /// What a program that a step ran has answered.
    Ran(Ran),
    /// How often a fault rule has fired.
    Fault(FaultCount),
    /// How many path uevents a map has sent.
    Uevents(UeventCount),
}

/// Limits on the totals of the workload. A limit that is none is not looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IoLimits {
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
    /// Requests that were still in flight when the wait at the end was over.
    pub stuck: Option<Comparison<u64>>,
}

/// A number of commands; what is none matches anything.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandCount {
    /// The operation.
    pub op: Option<OpMatcher>,
    /// The controller it came to.
    pub controller: Option<ControllerId>,
    /// The port it came to.
    pub port: Option<PortId>,
    /// The HBA it came from.
    pub hba: Option<HbaId>,
    /// The LUN it was for.
    pub lun: Option<Lun>,
    /// The sense it was answered with.
    pub sense: Option<Sense>,
    /// The SCSI status it was answered with.
    pub status: Option<Status>,
    /// The fault rule that decided about it.
    pub fault: Option<String>,
    /// The stage in which it came; none is any.
    pub stage: Option<Stage>,
    /// The shortest time from one's arrival to that of the next.
    pub gap: Option<Comparison<Duration>>,
    /// How many there must be.
    pub count: Comparison<u64>,
}

/// How many paths of a map are in which state. What is none is not looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct PathTotals {
    /// The LUN whose map is meant.
    pub lun: Lun,
    /// Failed paths.
    pub failed: Option<Comparison<u64>>,
    /// Active paths.
    pub active: Option<Comparison<u64>>,
}

/// The state that every path of a pattern must have.
#[derive(Debug, Clone, PartialEq)]
pub struct PathExpected {
    /// The LUN whose map is meant.
    pub lun: Lun,
    /// Which paths.
    pub path: PathPattern,
    /// Their state.
    pub state: PathState,
}

/// State of a path in the eyes of dm-multipath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathState {
    /// Letter `A` of the status line.
    Active,
    /// Letter `F`.
    Failed,
}

impl fmt::Display for PathState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathState::Active => "active",
            PathState::Failed => "failed",
        })
    }
}

/// Text to look for.
#[derive(Debug, Clone)]
pub enum TextMatch {
    /// This text is in it.
    Contains(String),
    /// This regular expression matches somewhere in it.
    Matches(Regex),
}

impl TextMatch {
    /// Whether it is found in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            TextMatch::Contains(part) => text.contains(part.as_str()),
            TextMatch::Matches(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (TextMatch::Contains(a), TextMatch::Contains(b)) => a == b,
            (TextMatch::Matches(a), TextMatch::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextMatch::Contains(part) => write!(f, "{part:?}"),
            TextMatch::Matches(regex) => write!(f, "/{regex}/"),
        }
    }
}

/// A number of kernel log lines.
#[derive(Debug, Clone, PartialEq)]
pub struct LogCount {
    /// Which lines.
    pub text: TextMatch,
    /// How many there must be.
    pub count: Comparison<u64>,
}

/// What a program must have answered. What is none is not looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The step that ran it.
    pub step: String,
    /// Its exit code.
    pub code: Option<Comparison<u64>>,
    /// Text of its output, standard error included.
    pub output: Option<TextMatch>,
}

/// How often a rule has fired.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultCount {
    /// The rule.
    pub name: String,
    /// How often.
    pub fired: Comparison<u64>,
}

/// A number of path uevents.
#[derive(Debug, Clone, PartialEq)]
pub struct UeventCount {
    /// The LUN whose map is meant.
    pub lun: Lun,
    /// `PATH_FAILED` or `PATH_REINSTATED`.
    pub action: String,
    /// How many there must be.
    pub count: Comparison<u64>,
}
