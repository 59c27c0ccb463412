//! The events in `events.ndjson` and in the output of `--json`: one object per line, each with `t`
//! and `kind`. Users' scripts parse them, so the names here are a stable interface.

use sansim_array::{Changed, CommandRecord, LunChange, StateChange};
pub use sansim_protocol::{DiskAction, GroupState, PathState, PathUeventAction};
use sansim_protocol::{Event as AgentEvent, Happening, ProgramEnd};
use sansim_time::Time;
use serde::{Deserialize, Serialize};

use crate::Idle;

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Story time in seconds; negative before the story begins (discovery).
    pub t: f64,
    /// The kind of the event, with its fields.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The array completed a command. `t` is the time of its arrival.
    Command(CommandEvent),
    /// The state of a controller, a LUN or a fault rule changed.
    State {
        /// The change in words: `controller A: online -> failed`.
        text: String,
        /// The change in separate fields.
        #[serde(flatten)]
        change: Change,
    },
    /// A step that takes time in the guest has begun.
    Begun {
        /// The name of the step.
        name: String,
        /// The action of the step in words.
        action: String,
    },
    /// A step was executed. `t` is when it ended.
    Step {
        /// The name of the step.
        name: String,
        /// The action of the step in words.
        action: String,
        /// How long the program of the step ran, in seconds. Absent for other steps.
        #[serde(skip_serializing_if = "Option::is_none")]
        took_s: Option<f64>,
        /// The reason why the step failed; `None` if it succeeded.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The state of a path in a map changed.
    Path {
        /// The device number of the disk, `major:minor`.
        dev: String,
        /// The nexus of the path: `hba0:A0`.
        path: String,
        /// The state of the path: `A` active, `F` failed.
        state: PathState,
        /// The number of failures since the table was loaded.
        fails: u32,
        /// The path group of the path, counted from 1.
        group: usize,
        /// The state of the path group: `A` current, `E` enabled, `D` bypassed.
        group_state: GroupState,
    },
    /// The paths or path groups of a map changed.
    Table {
        /// The name of the map.
        map: String,
        /// The table as the kernel shows it.
        table: String,
    },
    /// The state of a path group changed.
    Group {
        /// The number of the path group, counted from 1.
        group: usize,
        /// The state of the path group: `A` current, `E` enabled, `D` bypassed.
        state: GroupState,
    },
    /// The `pg_init_count` of a map changed.
    PgInit {
        /// The name of the map.
        map: String,
        /// The number of rounds since the last switch of path groups.
        rounds: u32,
    },
    /// The workload stalled, resumed, or had an error.
    Io {
        /// The kind of the event.
        what: IoKind,
        /// The map, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        map: Option<String>,
        /// A description in words.
        text: String,
        /// The offset in the map, in bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
    /// A line of the guest's log: from the kernel, or from a daemon, with its name in front.
    Log {
        /// The syslog level of a kernel message, 0 to 7. `None` for daemons.
        #[serde(skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
        /// The text of the line.
        text: String,
    },
    /// The kernel sent a uevent with a `DM_ACTION` for a path.
    Uevent {
        /// The `DM_ACTION` of the uevent: `PATH_FAILED` or `PATH_REINSTATED`.
        action: PathUeventAction,
        /// The nexus of the path: `hba0:A0`.
        path: String,
        /// The sequence number of the uevent, `DM_SEQNUM`.
        seqnum: u64,
        /// The number of usable paths, `DM_NR_VALID_PATHS`.
        valid_paths: u32,
    },
    /// A program that a step ran has ended.
    Ran {
        /// The name of the step.
        name: String,
        /// The exit code; null if the program was killed.
        code: Option<i32>,
        /// What killed the program: the signal, `SIGSEGV`, or `time limit`. Absent if it exited.
        #[serde(skip_serializing_if = "Option::is_none")]
        killed_by: Option<String>,
        /// The standard output of the program.
        stdout: String,
        /// The standard error of the program.
        stderr: String,
    },
    /// A disk was added or removed.
    Disk {
        /// Whether the disk was added or removed.
        action: DiskAction,
        /// The kernel's name for the disk, `sda`.
        name: String,
        /// The device number of the disk, `major:minor`.
        dev: String,
        /// The nexus of the disk, `hba0:A0`; null if it is not known.
        path: Option<String>,
        /// The LUN number; null if it is not known.
        lun: Option<u16>,
    },
    /// A map that was not there came, or a map went.
    Map {
        /// The name of the map.
        map: String,
        /// The WWID of the map; null if it has none.
        wwid: Option<String>,
        /// The number of its paths; null if the map went.
        paths: Option<usize>,
    },
    /// Something was not complete when the story began: a map, its paths, or disks.
    Incomplete {
        /// What it was, in words: `the map of LUN 0 has 1 of 4 paths (lun0)`.
        text: String,
    },
    /// The maps as multipathd reports them, at the beginning and at the end of the story.
    Multipathd {
        /// The output of `show maps json`; null if multipathd does not answer.
        view: serde_json::Value,
        /// Why multipathd does not answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// An expectation was decided.
    Expect {
        /// The expectation in words.
        text: String,
        /// Whether the expectation held.
        ok: bool,
        /// The observed values in words.
        seen: String,
    },
    /// Something of the story came to nothing: the run fails.
    Idle(Idle),
    /// The run is over.
    Verdict {
        /// The verdict: `pass`, `fail`, `known`, `skipped` or `error`.
        verdict: String,
        /// The reason for the verdict.
        reason: Option<String>,
    },
}

/// The kind of an `io` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoKind {
    /// No request has completed for the stall threshold of the workload.
    StallBegin,
    /// A request has completed after a stall.
    StallEnd,
    /// A request failed, or events of the agent were lost.
    Error,
    /// A workload cannot start: there is no map.
    NoStart,
    /// A block did not contain the expected data.
    Corrupt,
}

impl std::fmt::Display for IoKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            IoKind::StallBegin => "stall_begin",
            IoKind::StallEnd => "stall_end",
            IoKind::Error => "error",
            IoKind::NoStart => "no_start",
            IoKind::Corrupt => "corrupt",
        })
    }
}

/// The fields of a `command` event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandEvent {
    /// The sequence number of arrival at the array, from 0.
    pub seq: u64,
    /// The number of the HBA.
    pub hba: u8,
    /// The target port: `A0`.
    pub port: String,
    /// The controller: `A`.
    pub controller: String,
    /// The LUN number.
    pub lun: u16,
    /// The name of the operation in SPC or SBC.
    pub op: String,
    /// The CDB in hexadecimal.
    pub cdb: String,
    /// The SCSI status: `GOOD`, `CHECK CONDITION`, ….
    pub status: String,
    /// The sense key, ASC and ASCQ: `kk/aa/qq`, or null.
    pub sense: Option<String>,
    /// The service response: `OK`, `BAD TARGET`, ….
    pub response: String,
    /// The time from arrival to completion, in seconds.
    pub latency_s: f64,
    /// The fault rule that affected the command, or null.
    pub fault: Option<String>,
}

impl CommandEvent {
    /// The result of the command in a word or two: the sense, or else the status, or else the
    /// response that the HBA reports in place of a status.
    pub fn answer(&self) -> &str {
        match (&self.sense, self.response.as_str()) {
            (Some(sense), _) => sense,
            (None, "OK") => &self.status,
            (None, response) => response,
        }
    }

    /// The path by which it came: `hba0:A0`.
    pub fn path(&self) -> String {
        format!("hba{}:{}", self.hba, self.port)
    }

    /// Whether it reads or writes blocks: `READ(10)`, `WRITE(16)`, ….
    pub fn is_io(&self) -> bool {
        self.op.starts_with("READ(") || self.op.starts_with("WRITE(")
    }

    /// Whether the command was completed with anything but GOOD.
    pub fn failed(&self) -> bool {
        self.answer() != "GOOD"
    }
}

/// The fields of a `state` event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Change {
    /// The state of a controller.
    Controller {
        /// The controller: `A`.
        controller: String,
        /// The old state.
        from: String,
        /// The new state.
        to: String,
    },
    /// The ownership of a LUN.
    Owner {
        /// The LUN number.
        lun: u16,
        /// The previous owner.
        from: String,
        /// The new owner.
        to: String,
        /// The nexus whose command moved the LUN; null if no command did.
        by: Option<String>,
    },
    /// The replication of a LUN between two arrays.
    Replication {
        /// The LUN number.
        lun: u16,
        /// Its state: `up`, `lagging by 200 ms`, `down`, `in resync, 25 % copied`.
        is: String,
        /// The controllers of the arrays that serve the LUN.
        served_by: Vec<String>,
    },
    /// The access state of a target port group, as it was set explicitly.
    PortGroup {
        /// The LUN number.
        lun: u16,
        /// The identifier of the group.
        group: u16,
        /// Its state: `standby`; null if it follows the ownership again.
        state: Option<String>,
    },
    /// Any other change.
    Other,
}

/// Story time: converts the clocks of the run and of the guest to the time since the story began.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoryTime {
    /// The beginning of the story, by the clock of the run.
    zero_ns: i128,
    /// The clock of the run minus the guest's `CLOCK_MONOTONIC`.
    guest_ns: i128,
}

impl StoryTime {
    /// The story time for which the guest's `guest_now_ns` and the run's `now` are the same moment,
    /// and the story begins at `zero`.
    pub fn new(now: Time, guest_now_ns: u64, zero: Time) -> Self {
        StoryTime {
            zero_ns: i128::from(zero.as_nanos()),
            guest_ns: i128::from(now.as_nanos()) - i128::from(guest_now_ns),
        }
    }

    /// Sets the beginning of the story.
    pub fn begin(&mut self, zero: Time) {
        self.zero_ns = i128::from(zero.as_nanos());
    }

    /// The time of the run's clock at which the story begins.
    pub fn zero(&self) -> Time {
        Time::from_nanos(u64::try_from(self.zero_ns).unwrap_or_default())
    }

    /// Story time of a time of the run's clock, in seconds, rounded to microseconds.
    pub fn seconds(&self, at: Time) -> f64 {
        micros(i128::from(at.as_nanos()) - self.zero_ns)
    }

    /// Story time at which a program ended, and how long it ran, both in seconds.
    pub fn of_program(&self, end: &ProgramEnd) -> (f64, f64) {
        let ran = end.ended_ns.saturating_sub(end.began_ns);
        (self.guest_seconds(end.ended_ns), micros(ran.into()))
    }

    /// Story time of a time of the guest's clock, in seconds, rounded to microseconds.
    pub fn guest_seconds(&self, at_ns: u64) -> f64 {
        micros(i128::from(at_ns) + self.guest_ns - self.zero_ns)
    }
}

fn micros(nanos: i128) -> f64 {
    (nanos as f64 / 1e3).round() / 1e6
}

impl What {
    /// The event for the end of a program.
    pub fn ran(name: String, end: ProgramEnd) -> Self {
        let ProgramEnd { ended, stdout, stderr, .. } = end;
        What::Ran { name, code: ended.code(), killed_by: ended.killed_by(), stdout, stderr }
    }
}

impl Event {
    /// The event for a completed command.
    pub fn command(record: &CommandRecord, time: &StoryTime) -> Self {
        let completion = &record.completion;
        let what = What::Command(CommandEvent {
            seq: record.seq,
            hba: record.nexus.hba.0,
            port: record.nexus.port.to_string(),
            controller: record.nexus.port.controller.to_string(),
            lun: record.lun.0,
            op: operation_name(record),
            cdb: cdb_hex(record),
            status: completion.status.to_string(),
            sense: completion.sense.map(|sense| sense.to_string()),
            response: completion.response.to_string(),
            latency_s: micros(record.latency.as_nanos() as i128),
            fault: record.fault.as_deref().map(str::to_owned),
        });
        Event { t: time.seconds(record.at), what }
    }

    /// The event for a change of state.
    pub fn state(change: &StateChange, time: &StoryTime) -> Self {
        let pieces = match &change.what {
            Changed::Controller { controller, from, to } => Change::Controller {
                controller: controller.to_string(),
                from: from.to_string(),
                to: to.to_string(),
            },
            Changed::Owner { lun, from, to, by } => Change::Owner {
                lun: lun.0,
                from: from.to_string(),
                to: to.to_string(),
                by: by.map(|nexus| nexus.to_string()),
            },
            Changed::Lun { lun, change: LunChange::Replication { is, serving } } => {
                Change::Replication {
                    lun: lun.0,
                    is: is.to_string(),
                    served_by: serving.iter().map(|it| it.to_string()).collect(),
                }
            }
            Changed::Lun { lun, change: LunChange::PortGroup { group, state } } => {
                let state = state.map(|state| state.to_string());
                Change::PortGroup { lun: lun.0, group: *group, state }
            }
            _ => Change::Other,
        };
        let what = What::State { text: change.what.to_string(), change: pieces };
        Event { t: time.seconds(change.at), what }
    }

    /// The event for a report of the agent, if the report corresponds to exactly one event.
    pub fn agent(event: &AgentEvent, time: &StoryTime) -> Option<Self> {
        let what = match &event.what {
            Happening::Log { level, text } => What::Log { level: Some(*level), text: text.clone() },
            Happening::Said { .. } => {
                What::Log { level: None, text: event.what.log_line()?.into_owned() }
            }
            Happening::StallBegin { map, since_ns, .. } => What::Io {
                what: IoKind::StallBegin,
                map: Some(map.clone()),
                text: format!("no I/O has completed since {:.3} s", time.guest_seconds(*since_ns)),
                offset: None,
            },
            Happening::StallEnd { map, lasted_ns, .. } => What::Io {
                what: IoKind::StallEnd,
                map: Some(map.clone()),
                text: format!("I/O completes again after {:.3} s", *lasted_ns as f64 / 1e9),
                offset: None,
            },
            Happening::IoError { map, direction, offset, errno, .. } => What::Io {
                what: IoKind::Error,
                map: Some(map.clone()),
                text: format!("{direction} failed with errno {errno}"),
                offset: Some(*offset),
            },
            Happening::Corrupt { map, kind, offset, detail, .. } => What::Io {
                what: IoKind::Corrupt,
                map: Some(map.clone()),
                text: format!("{kind} block: {detail}"),
                offset: Some(*offset),
            },
            Happening::Lost { count } => What::Io {
                what: IoKind::Error,
                map: None,
                text: format!(
                    "the agent dropped {count} events: the lab was too slow to read them"
                ),
                offset: None,
            },
            _ => return None,
        };
        Some(Event { t: time.guest_seconds(event.at_ns), what })
    }
}

/// The CDB without the padding of the transport's fixed-length field, if the length of the CDB is
/// known.
fn cdb_hex(record: &CommandRecord) -> String {
    let length = record.op.map_or(record.cdb.len(), |op| op.cdb_len());
    record.cdb.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the operation, or its code if the array does not know the operation.
pub fn operation_name(record: &CommandRecord) -> String {
    match record.op {
        Some(operation) => operation.name.to_owned(),
        None => format!("{:02X}h", record.cdb.first().copied().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_has_negative_times() {
        let time = StoryTime::new(Time::from_nanos(5_000), 4_000, Time::from_nanos(2_000_005_000));
        assert_eq!(time.seconds(Time::from_nanos(5_000)), -2.0);
        assert_eq!(time.guest_seconds(4_000), -2.0);
        assert_eq!(time.guest_seconds(3_000_004_000), 1.0);
    }

    #[test]
    fn states_and_actions_are_written_in_the_kernels_letters_and_words() {
        let written = |what| serde_json::to_string(&Event { t: 1.5, what }).unwrap();
        let path = What::Path {
            dev: "8:16".to_owned(),
            path: "hba0:A0".to_owned(),
            state: PathState::Failed,
            fails: 1,
            group: 1,
            group_state: GroupState::Bypassed,
        };
        assert_eq!(
            written(path),
            r#"{"t":1.5,"kind":"path","dev":"8:16","path":"hba0:A0","state":"F","fails":1,"group":1,"group_state":"D"}"#
        );
        let uevent = What::Uevent {
            action: PathUeventAction::Reinstated,
            path: "hba0:A0".to_owned(),
            seqnum: 2,
            valid_paths: 4,
        };
        assert_eq!(
            written(uevent),
            r#"{"t":1.5,"kind":"uevent","action":"PATH_REINSTATED","path":"hba0:A0","seqnum":2,"valid_paths":4}"#
        );
        use IoKind::{Corrupt, Error, NoStart, StallBegin, StallEnd};
        for what in [StallBegin, StallEnd, Error, NoStart, Corrupt] {
            let io = What::Io { what, map: None, text: "x".to_owned(), offset: None };
            assert_eq!(
                written(io),
                format!(r#"{{"t":1.5,"kind":"io","what":"{what}","text":"x"}}"#)
            );
        }
    }
}
