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
        /// The release of the kernel, as `uname -r` says it.
        kernel: String,
    },
    /// The answer to a request, in whatever order.
    Reply(Reply),
    /// Something happened that nobody has asked about.
    Event(Event),
}

/// Something that happened in the guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
    /// What happened.
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
        /// Its number, from [`Answer::Terminal`](crate::Answer).
        terminal: u32,
        /// What the program has written, control characters and all; at most 4096 bytes.
        bytes: Bytes,
    },
    /// The program in a terminal has ended.
    TerminalClosed {
        /// Its number, from [`Answer::Terminal`](crate::Answer).
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
        /// Name of the dm device.
        map: String,
        /// The new event number.
        number: u32,
    },
    /// `DM_ACTION` uevents of a map, in the order of `DM_SEQNUM` (the kernel sends several that
    /// were queued together in reverse order, `dm.c:dm_uevent_add`).
    PathUevent {
        /// `DM_NAME`: the name of the dm device.
        map: String,
        /// `DM_ACTION`: what has become of the path.
        action: PathUeventAction,
        /// `DM_SEQNUM`: counts the path uevents of this map.
        seqnum: u64,
        /// `DM_PATH`: the path's disk, `major:minor`.
        path: String,
        /// `DM_NR_VALID_PATHS`: paths that have not failed, now.
        valid_paths: u32,
    },
    /// A disk appeared or went.
    Disk {
        /// Which of the two.
        action: DiskAction,
        /// The name that the kernel gave it, `sda`.
        name: String,
        /// Its device number, `major:minor`.
        dev: String,
    },
    /// No I/O has completed for [`WorkloadSpec::stall_ms`](crate::WorkloadSpec) while some was in
    /// flight.
    StallBegin {
        /// Name of the dm device.
        map: String,
        /// When the gap began: the last completion, or the submission into an idle map, in
        /// nanoseconds.
        since_ns: u64,
    },
    /// A request has completed, after a stall that was told of.
    StallEnd {
        /// Name of the dm device.
        map: String,
        /// How long it stood still, in nanoseconds.
        lasted_ns: u64,
    },
    /// A request failed. At most 64 are reported; all are counted.
    IoError {
        /// Name of the dm device.
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
        /// Name of the dm device.
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
        /// Name of the dm device.
        map: String,
        /// Reads that have completed without an error.
        reads: u64,
        /// Writes that have completed without an error.
        writes: u64,
        /// Reads and writes that have failed.
        errors: u64,
    },
    /// Events were dropped because the lab did not read them in time, or the kernel dropped uevents.
    Lost {
        /// How many events. The kernel does not say how many uevents it drops at once: they count as one.
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
    /// `PATH_FAILED`: dm-multipath does not use the path any more.
    Failed,
    /// `PATH_REINSTATED`: dm-multipath may use the path again.
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
    /// `add`: the kernel has added it.
    Add,
    /// `remove`: the kernel has removed it.
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
