//! Messages that the agent sends without being asked.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::{Bytes, CorruptionKind, Disk, IoDirection, MapStatus, Reply};

/// All messages from the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// The first line after boot.
    Ready {
        /// The agent's [`VERSION`](crate::VERSION); the lab compares it with its own.
        version: u32,
        /// The kernel's release, as in `uname -r`.
        kernel: String,
    },
    /// The reply to a request. Replies may come in any order.
    Reply(Reply),
    /// An event that no request asked for.
    Event(Event),
}

/// An event in the guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Time of the event: the guest's `CLOCK_MONOTONIC`, in nanoseconds.
    pub at_ns: u64,
    /// The kind of event. In JSON its fields are next to `at_ns`.
    #[serde(flatten)]
    pub what: Happening,
}

/// The kinds of [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// A record of the kernel log.
    Log {
        /// syslog severity, 0 (emergency) to 7 (debug).
        level: u8,
        /// The text, without level and timestamp.
        text: String,
    },
    /// A line of a daemon's output.
    Said {
        /// The name given in [`Call::StartDaemon`](crate::Call::StartDaemon).
        program: String,
        /// The line, split after 4096 bytes. Invalid UTF-8 is replaced by U+FFFD.
        text: String,
    },
    /// Output of a terminal.
    Shown {
        /// The number from [`Answer::Terminal`](crate::Answer).
        terminal: u32,
        /// At most 4096 bytes, with control characters.
        bytes: Bytes,
    },
    /// The program in a terminal has ended.
    TerminalClosed {
        /// The number from [`Answer::Terminal`](crate::Answer).
        terminal: u32,
        /// Exit code; null if a signal killed the program.
        code: Option<i32>,
    },
    /// A map's status changed: rounds, path states or groups.
    Map(MapStatus),
    /// The map is there no more.
    MapRemoved {
        /// Name of the dm device.
        map: String,
    },
    /// Disks of a map that were not reported before, or have another address now. Reported before the
    /// map's status that has them.
    Disks {
        /// The disks, in the order of the map's paths.
        disks: Vec<Disk>,
    },
    /// A map's dm event counter changed (`dmsetup wait` would return).
    DmEvent {
        /// Name of the dm device.
        map: String,
        /// The new value of the counter.
        number: u32,
    },
    /// A `DM_ACTION` uevent of a map, in the order of `DM_SEQNUM`. (The kernel sends uevents that were
    /// queued together in reverse order, `dm.c:dm_uevent_add`.)
    PathUevent {
        /// `DM_NAME`: name of the dm device.
        map: String,
        /// `DM_ACTION`: whether the path failed or was reinstated.
        action: PathUeventAction,
        /// `DM_SEQNUM`: sequence number of the path uevents of this map.
        seqnum: u64,
        /// `DM_PATH`: the path's disk, `major:minor`.
        path: String,
        /// `DM_NR_VALID_PATHS`: number of paths that have not failed.
        valid_paths: u32,
    },
    /// A disk was added or removed.
    Disk {
        /// Whether the disk was added or removed.
        action: DiskAction,
        /// The kernel's name for the disk, `sda`.
        name: String,
        /// Device number of the disk, `major:minor`.
        dev: String,
        /// The disk that was added, if it is still there and on an HBA of the SAN.
        disk: Option<Disk>,
    },
    /// No I/O completed for [`WorkloadSpec::stall_ms`](crate::WorkloadSpec) while some was in flight.
    StallBegin {
        /// Name of the dm device.
        map: String,
        /// Start of the stall: the last completion, or the first submission after a time without I/O in
        /// flight. In nanoseconds.
        since_ns: u64,
    },
    /// A request completed after a stall that was reported.
    StallEnd {
        /// Name of the dm device.
        map: String,
        /// Length of the stall in nanoseconds.
        lasted_ns: u64,
    },
    /// A request failed. At most 64 failures are reported; all are counted.
    IoError {
        /// Name of the dm device.
        map: String,
        /// Whether the request was a read or a write.
        direction: IoDirection,
        /// Byte offset in the map.
        offset: u64,
        /// The errno, for instance 5 for EIO.
        errno: i32,
    },
    /// A block had wrong contents. At most 64 corruptions are reported; all are counted.
    Corrupt {
        /// Name of the dm device.
        map: String,
        /// The kind of corruption.
        kind: CorruptionKind,
        /// Byte offset in the map.
        offset: u64,
        /// Expected and actual contents, in words.
        detail: String,
    },
    /// Totals so far, about once per second while a workload runs.
    Progress {
        /// Name of the dm device.
        map: String,
        /// Successful reads since the start.
        reads: u64,
        /// Successful writes since the start.
        writes: u64,
        /// Failed reads and writes.
        errors: u64,
        /// The longest time that a request took, of those completed since the last of these events,
        /// in nanoseconds; 0 if none was completed.
        slowest_ns: u64,
    },
    /// Events were dropped, either by the agent because the lab did not read them in time, or by the kernel
    /// (uevents).
    Lost {
        /// Number of lost events. The kernel does not say how many uevents it dropped; each time counts as
        /// one.
        count: u64,
    },
}

impl Happening {
    /// The line of a log event: the kernel's text as it is, a daemon's with its name in front, as in
    /// syslog. `None` for other events.
    pub fn log_line(&self) -> Option<Cow<'_, str>> {
        match self {
            Happening::Log { text, .. } => Some(Cow::Borrowed(text)),
            Happening::Said { program, text } => Some(Cow::Owned(format!("{program}: {text}"))),
            _ => None,
        }
    }
}

/// What happened to a path: the values of `DM_ACTION` (`dm-uevent.c:_dm_uevent_type_names`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PathUeventAction {
    /// `PATH_FAILED`: dm-multipath stopped using the path.
    Failed,
    /// `PATH_REINSTATED`: dm-multipath may use the path again.
    Reinstated,
    /// A value that this version does not know.
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

/// What happened to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskAction {
    /// `add`: the kernel added the disk.
    Add,
    /// `remove`: the kernel removed the disk.
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
