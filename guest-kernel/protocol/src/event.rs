//! What the agent reports of its own accord.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::{Bytes, CorruptionKind, Disk, IoDirection, MapStatus, Reply};

/// Everything the agent sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// The first line after boot.
    Ready {
        /// [`VERSION`](crate::VERSION) of the agent.
        version: u32,
        /// `uname -r`.
        kernel: String,
    },
    /// An answer.
    Reply(Reply),
    /// Something happened.
    Event(Event),
}

/// Something that happened in the guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// The kinds of [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// A line of the kernel log.
    Log {
        /// syslog level, 0 (emergency) to 7 (debug).
        level: u8,
        /// The text without its prefix.
        text: String,
    },
    /// A line of what a daemon of the userland says.
    Said {
        /// The name that it was started under.
        program: String,
        /// The line, lossily decoded and cut after 4096 bytes.
        text: String,
    },
    /// A terminal shows something.
    Shown {
        /// Which.
        terminal: u32,
        /// What.
        bytes: Bytes,
    },
    /// The program in a terminal has ended.
    TerminalClosed {
        /// Which.
        terminal: u32,
        /// Its exit code; none if it was killed.
        code: Option<i32>,
    },
    /// A map's status differs from the one last reported: rounds, path states, groups.
    Map(MapStatus),
    /// The disks that there are now: a map has come to a path over another one than before.
    Disks {
        /// All of them, sorted by path.
        disks: Vec<Disk>,
    },
    /// The dm event counter of a map moved (`dmsetup wait` would return).
    DmEvent {
        /// The map's name.
        map: String,
        /// The new event number.
        number: u32,
    },
    /// `DM_ACTION` uevents of a map, in the order of `DM_SEQNUM` (the kernel sends several that
    /// were queued together in reverse order, `dm.c:dm_uevent_add`).
    PathUevent {
        /// `DM_NAME`.
        map: String,
        /// `DM_ACTION`.
        action: PathUeventAction,
        /// `DM_SEQNUM`.
        seqnum: u64,
        /// `DM_PATH`, `major:minor`.
        path: String,
        /// `DM_NR_VALID_PATHS`.
        valid_paths: u32,
    },
    /// A disk appeared or went.
    Disk {
        /// Which of the two.
        action: DiskAction,
        /// Kernel name, `sda`.
        name: String,
        /// `major:minor`.
        dev: String,
    },
    /// No I/O has completed for [`WorkloadSpec::stall_ms`](crate::WorkloadSpec) while some was in
    /// flight.
    StallBegin {
        /// The map's name.
        map: String,
        /// When the gap began: the last completion, or the submission into an idle map, in
        /// nanoseconds.
        since_ns: u64,
    },
    /// I/O completes again.
    StallEnd {
        /// The map's name.
        map: String,
        /// How long it stood still, in nanoseconds.
        lasted_ns: u64,
    },
    /// A request failed. At most 64 are reported; all are counted.
    IoError {
        /// The map's name.
        map: String,
        /// What it was to do.
        direction: IoDirection,
        /// Byte offset in the map.
        offset: u64,
        /// The error number, for instance 5 for EIO.
        errno: i32,
    },
    /// A block did not hold what it should. At most 64 are reported; all are counted.
    Corrupt {
        /// The map's name.
        map: String,
        /// What is wrong with it.
        kind: CorruptionKind,
        /// Byte offset in the map.
        offset: u64,
        /// What was expected and what was found.
        detail: String,
    },
    /// Totals so far, about once a second while a workload runs.
    Progress {
        /// The map's name.
        map: String,
        /// Reads completed.
        reads: u64,
        /// Writes completed.
        writes: u64,
        /// Requests that failed.
        errors: u64,
    },
    /// Events were dropped because the lab did not read them in time, or the kernel dropped uevents.
    Lost {
        /// How many.
        count: u64,
    },
}

impl Happening {
    /// The line, if it is one of a log: of the kernel's as it is, of a daemon's with its name before it,
    /// as in a syslog.
    pub fn log_line(&self) -> Option<Cow<'_, str>> {
        match self {
            Happening::Log { text, .. } => Some(Cow::Borrowed(text)),
            Happening::Said { program, text } => Some(Cow::Owned(format!("{program}: {text}"))),
            _ => None,
        }
    }
}

/// What has become of a path, in the words of a uevent (`dm-uevent.c:_dm_uevent_type_names`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PathUeventAction {
    /// `PATH_FAILED`.
    Failed,
    /// `PATH_REINSTATED`.
    Reinstated,
    /// What a kernel says that has more of them.
    Other(String),
}

impl From<String> for PathUeventAction {
    fn from(word: String) -> PathUeventAction {
        match word.as_str() {
            "PATH_FAILED" => PathUeventAction::Failed,
            "PATH_REINSTATED" => PathUeventAction::Reinstated,
            _ => PathUeventAction::Other(word),
        }
    }
}

impl From<PathUeventAction> for String {
    fn from(action: PathUeventAction) -> String {
        action.to_string()
    }
}

impl fmt::Display for PathUeventAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PathUeventAction::Failed => "PATH_FAILED",
            PathUeventAction::Reinstated => "PATH_REINSTATED",
            PathUeventAction::Other(word) => word,
        })
    }
}

/// What has become of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskAction {
    /// `add`: it appeared.
    Add,
    /// `remove`: it went.
    Remove,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    #[test]
    fn actions_of_uevents_are_written_in_the_kernels_words() {
        let words = ["PATH_FAILED", "PATH_REINSTATED", "PATH_PAINTED"];
        let other = PathUeventAction::Other("PATH_PAINTED".into());
        let actions = [PathUeventAction::Failed, PathUeventAction::Reinstated, other];
        for (word, action) in words.into_iter().zip(actions) {
            assert_eq!(PathUeventAction::from(word.to_owned()), action);
            assert_eq!(action.to_string(), word);
            assert_eq!(encode(&action), encode(&word));
            assert_eq!(decode::<PathUeventAction>(&encode(&word)).unwrap(), action);
        }
    }
}
