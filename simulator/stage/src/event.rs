//! What is written to `events.ndjson` and printed by `--json`: one object a line, each with `t` and
//! `kind`. People's scripts read these, so names here are a contract.

use sansim_array::{Changed, CommandRecord, StateChange};
use sansim_protocol::{Event as AgentEvent, Happening};
pub use sansim_protocol::{GroupState, PathState, PathUeventAction};
use sansim_time::Time;
use serde::Serialize;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Seconds of scenario time; negative before the story began (discovery).
    pub t: f64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A command was completed by the array. `t` is when it arrived.
    Command(CommandEvent),
    /// The state of a controller, a LUN or a fault rule changed.
    State {
        /// What changed, in words: `controller A: online -> failed`.
        text: String,
        /// The same in pieces.
        #[serde(flatten)]
        change: Change,
    },
    /// A step was taken.
    Step {
        /// The step's name.
        name: String,
        /// What it did.
        action: String,
        /// Why it could not be done.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A path of a map changed its state.
    Path {
        /// `major:minor`.
        dev: String,
        /// Which path it is: `hba0:A0`.
        path: String,
        /// `A` active, `F` failed.
        state: PathState,
        /// Failures since the table was loaded.
        fails: u32,
        /// Its path group, counted from 1.
        group: usize,
        /// `A` current, `E` enabled, `D` bypassed.
        group_state: GroupState,
    },
    /// A map has other paths, or other path groups.
    Table {
        /// The map.
        map: String,
        /// Its table as the kernel shows it.
        table: String,
    },
    /// A path group changed its state.
    Group {
        /// Counted from 1.
        group: usize,
        /// `A` current, `E` enabled, `D` bypassed.
        state: GroupState,
    },
    /// `pg_init_count` of a map changed.
    PgInit {
        /// The map.
        map: String,
        /// Rounds since the last switch of path groups.
        rounds: u32,
    },
    /// The workload stalled, went on, or had an error.
    Io {
        /// Which of these.
        what: IoKind,
        /// In words.
        text: String,
        /// Where in the map, in bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
    /// A line of the guest's log: the kernel's, or a daemon's with its name before it.
    Log {
        /// syslog level, 0 to 7, of the kernel's lines; those of daemons have none.
        #[serde(skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
        /// The line.
        text: String,
    },
    /// A `DM_ACTION` uevent.
    Uevent {
        /// `PATH_FAILED` or `PATH_REINSTATED`.
        action: PathUeventAction,
        /// Which path it is: `hba0:A0`.
        path: String,
        /// `DM_SEQNUM`.
        seqnum: u64,
        /// `DM_NR_VALID_PATHS`.
        valid_paths: u32,
    },
    /// A program that a step ran has ended.
    Ran {
        /// The step's name.
        name: String,
        /// Exit code; null when it was killed.
        code: Option<i32>,
        /// Standard output.
        stdout: String,
        /// Standard error.
        stderr: String,
    },
    /// What multipathd says of its maps: when the story begins and when it ends.
    Multipathd {
        /// Its answer to `show maps json`.
        view: serde_json::Value,
    },
    /// An expectation was decided.
    Expect {
        /// The expectation.
        text: String,
        /// Whether it held.
        ok: bool,
        /// What was seen.
        seen: String,
    },
    /// The run is over.
    Verdict {
        /// `pass`, `fail`, `known`, `skipped` or `error`.
        verdict: String,
        /// Why.
        reason: Option<String>,
    },
}

/// What an `io` event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IoKind {
    /// Nothing has completed for the time that counts as a stall.
    StallBegin,
    /// Something has completed after a stall.
    StallEnd,
    /// A request failed, or events of the agent's were lost.
    Error,
    /// A block did not hold what it should.
    Corrupt,
}

impl std::fmt::Display for IoKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            IoKind::StallBegin => "stall_begin",
            IoKind::StallEnd => "stall_end",
            IoKind::Error => "error",
            IoKind::Corrupt => "corrupt",
        })
    }
}

/// The fields of a `command` event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommandEvent {
    /// Order of arrival at the array, from 0.
    pub seq: u64,
    /// The initiator.
    pub hba: u8,
    /// The target port, `A0`.
    pub port: String,
    /// The controller, `A`.
    pub controller: String,
    /// The LUN.
    pub lun: u16,
    /// The operation's name in SPC or SBC.
    pub op: String,
    /// The command descriptor block in hexadecimal.
    pub cdb: String,
    /// The SCSI status: `GOOD`, `CHECK CONDITION`, ….
    pub status: String,
    /// `kk/aa/qq`, or null.
    pub sense: Option<String>,
    /// The service response: `OK`, `BAD TARGET`, ….
    pub response: String,
    /// From arrival to completion, in seconds.
    pub latency_s: f64,
    /// The fault rule that had a hand in it, or null.
    pub fault: Option<String>,
}

impl CommandEvent {
    /// How it was answered, in a word or two: its sense, else its status, else what the HBA reports
    /// instead of one.
    pub fn answer(&self) -> &str {
        match (&self.sense, self.response.as_str()) {
            (Some(sense), _) => sense,
            (None, "OK") => &self.status,
            (None, response) => response,
        }
    }

    /// Whether it was answered with anything but GOOD.
    pub fn failed(&self) -> bool {
        self.answer() != "GOOD"
    }
}

/// The pieces of a `state` event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Change {
    /// A controller.
    Controller {
        /// `A`.
        controller: String,
        /// The old state.
        from: String,
        /// The new state.
        to: String,
    },
    /// The ownership of a LUN.
    Owner {
        /// The LUN.
        lun: u16,
        /// The controller that had it.
        from: String,
        /// The controller that has it.
        to: String,
        /// The nexus whose command moved it; null when a step did.
        by: Option<String>,
    },
    /// Anything else.
    Other,
}

/// Scenario time: the array's and the guest's clocks seen from the moment when the story began.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoryTime {
    /// When the story began, by the clock of the run.
    zero_ns: i128,
    /// What must be added to the guest's `CLOCK_MONOTONIC` to get the clock of the run.
    guest_ns: i128,
}

impl StoryTime {
    /// The story time in which the guest's `guest_now_ns` and the run's `now` are the same moment, and
    /// on which the story begins at `zero`.
    pub fn new(now: Time, guest_now_ns: u64, zero: Time) -> Self {
        StoryTime {
            zero_ns: i128::from(zero.as_nanos()),
            guest_ns: i128::from(now.as_nanos()) - i128::from(guest_now_ns),
        }
    }

    /// Moves the beginning of the story.
    pub fn begin(&mut self, zero: Time) {
        self.zero_ns = i128::from(zero.as_nanos());
    }

    /// Scenario seconds of a point of the run's clock, to the microsecond.
    pub fn seconds(&self, at: Time) -> f64 {
        micros(i128::from(at.as_nanos()) - self.zero_ns)
    }

    /// Scenario seconds of a point of the guest's clock, to the microsecond.
    pub fn guest_seconds(&self, at_ns: u64) -> f64 {
        micros(i128::from(at_ns) + self.guest_ns - self.zero_ns)
    }
}

fn micros(nanos: i128) -> f64 {
    (nanos as f64 / 1e3).round() / 1e6
}

impl Event {
    /// The event of a completed command.
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

    /// The event of a change of state.
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
            _ => Change::Other,
        };
        let what = What::State { text: change.what.to_string(), change: pieces };
        Event { t: time.seconds(change.at), what }
    }

    /// The event of something that the agent reports, where it maps to exactly one.
    pub fn agent(event: &AgentEvent, time: &StoryTime) -> Option<Self> {
        let what = match &event.what {
            Happening::Log { level, text } => What::Log { level: Some(*level), text: text.clone() },
            Happening::Said { .. } => {
                What::Log { level: None, text: event.what.log_line()?.into_owned() }
            }
            Happening::StallBegin { since_ns, .. } => What::Io {
                what: IoKind::StallBegin,
                text: format!("no I/O has completed since {:.3} s", time.guest_seconds(*since_ns)),
                offset: None,
            },
            Happening::StallEnd { lasted_ns, .. } => What::Io {
                what: IoKind::StallEnd,
                text: format!("I/O completes again after {:.3} s", *lasted_ns as f64 / 1e9),
                offset: None,
            },
            Happening::IoError { direction, offset, errno, .. } => What::Io {
                what: IoKind::Error,
                text: format!("{direction} failed with errno {errno}"),
                offset: Some(*offset),
            },
            Happening::Corrupt { kind, offset, detail, .. } => What::Io {
                what: IoKind::Corrupt,
                text: format!("{kind} block: {detail}"),
                offset: Some(*offset),
            },
            Happening::Lost { count } => What::Io {
                what: IoKind::Error,
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

/// The CDB without the padding of the transport's fixed field, where its length is known.
fn cdb_hex(record: &CommandRecord) -> String {
    let length = record.op.map_or(record.cdb.len(), |op| op.cdb_len());
    record.cdb.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

/// The operation's name, or its code where the array knows none.
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
        use IoKind::{Corrupt, Error, StallBegin, StallEnd};
        for what in [StallBegin, StallEnd, Error, Corrupt] {
            let io = What::Io { what, text: "x".to_owned(), offset: None };
            assert_eq!(
                written(io),
                format!(r#"{{"t":1.5,"kind":"io","what":"{what}","text":"x"}}"#)
            );
        }
    }
}
