//! Whether I/O waits longer than the settings of the host explain.
//!
//! While I/O waits and a path is in service, it is up to the host to go on: it may wait for what the array has in its
//! hands, and for the delays that it was configured with, and for nothing else.

use std::{collections::BTreeSet, time::Duration};

use sansim_array::PersonalityConfig;
use sansim_stage::{
    Manager, Setup,
    event::{CommandEvent, GroupState, PathState},
};

use super::activates;
use crate::answer::Grade;

/// What a host may need for itself, in seconds: work queues, timers, a command that is sent again at once.
const OWN_S: f64 = 1.0;
/// DM_PG_INIT_DELAY_MSECS of dm-mpath.c, and ALUA_RTPG_RETRY_DELAY of scsi_dh_alua.c.
const DELAY: Duration = Duration::from_secs(2);
/// How often a command is sent in a round of pg_init, at most: by a handler six times (RDAC_RETRY_COUNT, and the first
/// time), and each of these by the mid-layer (RDAC_RETRIES, ALUA_FAILOVER_RETRIES, and the first time).
const OF_HANDLER: usize = 6 * 6;
/// The most commands and stalls that are looked at.
const MOST: usize = 20_000;

/// A command, as far as it keeps others waiting.
#[derive(Debug)]
struct Sent {
    from: f64,
    until: f64,
    /// Whether its answer lets the host wait before it goes on.
    delays: bool,
    /// Whether it was to move the LUN, and was refused. The mid-layer asks one that is not ready yet again and again, for as
    /// long as the command may take, which is minutes.
    refused: bool,
    op: String,
}

/// Whether an answer says that the command is to be sent again in a moment (scsi_decide_disposition: ADD_TO_MLQUEUE;
/// scsi_io_completion_action: ACTION_DELAYED_RETRY).
fn is_not_yet(command: &CommandEvent) -> bool {
    matches!(&*command.status, "BUSY" | "TASK SET FULL")
        || matches!(command.sense.as_deref(), Some("02/04/01" | "02/04/0a"))
}

/// A wait that is too long.
pub(super) struct Wait {
    pub(super) t: f64,
    pub(super) seen: String,
    pub(super) expect: String,
    /// What it comes after.
    pub(super) after: String,
}

/// Follows the commands to the workload's LUN, and when its I/O waits.
pub(super) struct Waits {
    lun: u16,
    /// The command of a path checker, which is sent whatever else is going on.
    checks: Option<&'static str>,
    /// How long a round of pg_init may be delayed, in seconds.
    delay_s: f64,
    /// How often a command that moves the LUN may be refused while I/O waits.
    most_refused: usize,
    sent: Vec<Sent>,
    stalls: Vec<(f64, f64)>,
    /// All paths, and those that are failed in the map of any LUN, with the disk.
    paths: BTreeSet<String>,
    failed: BTreeSet<(String, String)>,
    /// The path groups that were bypassed, from when until when. Before one of them is used, dm-multipath waits on purpose
    /// (choose_pgpath).
    bypassed: Vec<(usize, f64, f64)>,
    /// Since when a path is in service, if one is; and earlier such times.
    since: Option<f64>,
    served: Vec<(f64, f64)>,
}

impl Waits {
    pub(super) fn of(setup: &Setup) -> Self {
        let multipath = &setup.guest.multipath;
        let lun = setup.main_lun();
        let array = &setup.first_array().personality;
        let dmsetup = setup.guest.manager == Manager::Dmsetup;
        let starts = matches!(array, PersonalityConfig::HpSw(_) | PersonalityConfig::HwHandler(_));
        let retries = match dmsetup {
            true => multipath.pg_init_retries.map_or(0, usize::from),
            // multipathd's hardware table allows up to 50.
            false => 50,
        };
        Waits {
            lun: lun.0,
            checks: (!dmsetup && !starts).then_some("TEST UNIT READY"),
            delay_s: multipath.pg_init_delay.unwrap_or(DELAY).max(DELAY).as_secs_f64(),
            most_refused: (retries + 1) * OF_HANDLER * setup.paths_of(lun).count(),
            sent: Vec::new(),
            stalls: Vec::new(),
            paths: setup.paths_of(lun).map(|nexus| nexus.to_string()).collect(),
            failed: BTreeSet::new(),
            bypassed: Vec::new(),
            since: Some(0.0),
            served: Vec::new(),
        }
    }

    pub(super) fn command(&mut self, t: f64, command: &CommandEvent, grade: Grade) {
        // In a transition the alua handler asks by the same command as the checker (alua_rtpg_work).
        let checks = self.checks.is_some_and(|op| command.op == op) && !is_not_yet(command);
        if command.lun != self.lun || checks || self.sent.len() >= MOST {
            return;
        }
        let activates = activates(&command.op);
        let medium = command.is_io();
        self.sent.push(Sent {
            from: t,
            until: t + command.latency_s,
            delays: match grade {
                // It may say that the group is in a transition.
                Grade::Good => command.op.contains("TARGET PORT GROUPS"),
                // The array does not serve now: in a transition, alua has I/O wait (alua_prep_fn).
                Grade::Again => true,
                // Another path is tried at once.
                Grade::Path | Grade::Target => !medium,
            },
            refused: activates && grade != Grade::Good && !is_not_yet(command),
            op: command.op.clone(),
        });
    }

    /// A path has another state.
    pub(super) fn path(&mut self, t: f64, path: &str, dev: &str, state: PathState) {
        let disk = (path.to_owned(), dev.to_owned());
        match state {
            PathState::Active => self.failed.remove(&disk),
            PathState::Failed => self.failed.insert(disk),
        };
        let fails = |path: &String| self.failed.iter().any(|(failed, _)| failed == path);
        let serves = !self.paths.iter().all(fails);
        match self.since {
            None if serves => self.since = Some(t),
            Some(since) if !serves => {
                self.served.push((since, t));
                self.since = None;
            }
            _ => {}
        }
    }

    /// A path group has another state.
    pub(super) fn group(&mut self, t: f64, group: usize, state: GroupState) {
        let ended = |it: &&mut (usize, f64, f64)| it.0 == group && it.2.is_infinite();
        if let Some(last) = self.bypassed.iter_mut().find(ended) {
            last.2 = t;
        }
        if state == GroupState::Bypassed && self.bypassed.len() < MOST {
            self.bypassed.push((group, t, f64::INFINITY));
        }
    }

    pub(super) fn stall_begins(&mut self, t: f64) {
        if self.stalls.len() < MOST {
            self.stalls.push((t, f64::INFINITY));
        }
    }

    pub(super) fn stall_ends(&mut self, t: f64) {
        if let Some(stall) = self.stalls.last_mut() {
            stall.1 = t;
        }
    }

    /// The first wait that is too long. One that has not ended is the law `flow`'s.
    pub(super) fn too_long(&mut self) -> Option<Wait> {
        self.served.extend(self.since.take().map(|since| (since, f64::INFINITY)));
        self.sent.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut stalls = self.stalls.iter().filter(|(_, end)| end.is_finite());
        stalls
            .find_map(|(begin, end)| self.idle(*begin, *end).or_else(|| self.refused(*begin, *end)))
    }

    /// A time in which I/O waits, the array has nothing in its hands, and the host does nothing.
    fn idle(&self, begin: f64, end: f64) -> Option<Wait> {
        // When the array had answered all so far, and what was answered last.
        let mut last: Option<&Sent> = None;
        // Until when an answer lets the host wait: it goes on doing so while other paths serve.
        let mut delayed = f64::NEG_INFINITY;
        let ends = Sent { from: end, until: end, delays: false, refused: false, op: String::new() };
        for sent in self.sent.iter().chain([&ends]) {
            if let Some(before) = last.filter(|it| it.until > begin - OWN_S) {
                let (from, to) = (before.until, sent.from.min(end));
                let on_purpose = if self.bypasses(from, to) { self.delay_s } else { 0.0 };
                let allowed = OWN_S + on_purpose.max(delayed - from);
                if to - from > allowed && self.serves(from, to) {
                    let long = to - from;
                    return Some(Wait {
                        t: to,
                        seen: format!(
                            "from {from:.3} s I/O waited for {long:.3} s, and the host had nothing to wait for \
                             (at most {allowed:.3} s are explained)"
                        ),
                        expect: format!(
                            "io = {{ longest_stall = \"< {}ms\" }}",
                            (allowed * 1e3) as u64
                        ),
                        after: before.op.clone(),
                    });
                }
            }
            if sent.delays {
                delayed = delayed.max(sent.until + self.delay_s);
            }
            if sent.from >= end {
                break;
            }
            if last.is_none_or(|it| it.until <= sent.until) {
                last = Some(sent);
            }
        }
        None
    }

    /// More refusals than there are retries, while I/O waits.
    fn refused(&self, begin: f64, end: f64) -> Option<Wait> {
        let within = |sent: &&Sent| sent.refused && sent.from >= begin - OWN_S && sent.from < end;
        let most = self.most_refused;
        let last = self.sent.iter().filter(within).nth(most)?;
        let op = last.op.split('(').next().unwrap_or_default();
        Some(Wait {
            t: last.until,
            seen: format!(
                "from {begin:.3} s I/O waited, and {op} was sent again after it was refused {most} times"
            ),
            expect: format!("commands = [{{ op = \"{op}\", at_most = {most} }}]"),
            after: last.op.clone(),
        })
    }

    /// Whether a path group was bypassed at any time.
    fn bypasses(&self, from: f64, to: f64) -> bool {
        self.bypassed.iter().any(|(_, since, until)| *since < to && *until > from)
    }

    /// Whether a path was in service all the time.
    fn serves(&self, from: f64, to: f64) -> bool {
        self.served.iter().any(|(since, until)| *since <= from && *until >= to)
    }
}
