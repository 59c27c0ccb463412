//! What was seen of a run, as far as its expectations ask for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sansim_array::{
    Action, Changed, CommandRecord, ControllerId, Lun, LunChange, Nexus, StateChange,
};
use sansim_protocol::{Event, Happening, MapStatus, PathUeventAction, WorkloadReport};
use sansim_time::Time;

use crate::lang::plan::{CommandCount, Condition, Scenario, StepAction, TextMatch};

/// What was seen of a run so far. It counts only what some expectation of the scenario asks for, so
/// that its size does not depend on what the guest does.
#[derive(Debug, Clone)]
pub struct World {
    nexus_by_dev: BTreeMap<String, Nexus>,
    /// Who owns LUNs that a step maps.
    mapped_later: BTreeMap<Lun, ControllerId>,
    owners: BTreeMap<Lun, ControllerId>,
    commands: Vec<(CommandCount, CommandsSeen)>,
    log: Vec<(TextMatch, u64)>,
    fired: BTreeMap<Arc<str>, u64>,
    maps: BTreeMap<Lun, MapSeen>,
    programs: BTreeMap<String, Ran>,
    io: IoSeen,
}

/// What was seen of a map.
#[derive(Debug, Clone, Default)]
pub(super) struct MapSeen {
    pub(super) status: Option<MapStatus>,
    /// The highest `pg_init_count`.
    pub(super) rounds: u32,
    /// Uevents by action.
    pub(super) uevents: BTreeMap<String, u64>,
}

/// How many commands of a kind were completed, and how close together they came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CommandsSeen {
    pub(super) count: u64,
    /// The shortest time from the arrival of one to that of the next, in the order of arrival.
    pub(super) gap: Option<Duration>,
    last: Option<Time>,
}

impl CommandsSeen {
    fn add(&mut self, at: Time) {
        self.count += 1;
        if let Some(last) = self.last.replace(at) {
            let gap = at.max(last).since(at.min(last));
            self.gap = Some(self.gap.map_or(gap, |shortest| shortest.min(gap)));
        }
    }
}

/// What a program has answered.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) output: String,
}

/// Totals of the workload.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IoSeen {
    pub(super) errors: u64,
    pub(super) corrupt: u64,
    pub(super) longest_stall: Duration,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) stuck: u64,
    pub(super) unchecked: u64,
    /// Errors that were reported one by one; never more than there are.
    error_events: u64,
}

impl World {
    /// The world at the beginning of a run. `nexus_by_dev` says which path each `major:minor` is.
    pub fn new(scenario: &Scenario, nexus_by_dev: &BTreeMap<String, Nexus>) -> World {
        let mapped_later = scenario.steps.iter().filter_map(|step| match &step.action {
            StepAction::Array(Action::MapLun(config)) => Some((config.lun, config.owner)),
            _ => None,
        });
        let conditions = || scenario.expectations.iter().flat_map(|e| &e.conditions);
        let commands = conditions().filter_map(|condition| match condition {
            Condition::Commands(count) => Some(((**count).clone(), CommandsSeen::default())),
            _ => None,
        });
        let log = conditions().filter_map(|condition| match condition {
            Condition::Log(count) => Some((count.text.clone(), 0)),
            _ => None,
        });
        World {
            nexus_by_dev: nexus_by_dev.clone(),
            mapped_later: mapped_later.collect(),
            owners: scenario.array.luns.iter().map(|c| (c.lun, c.owner)).collect(),
            commands: commands.collect(),
            log: log.collect(),
            fired: scenario.faults.iter().map(|rule| (Arc::clone(&rule.name), 0)).collect(),
            maps: BTreeMap::new(),
            programs: BTreeMap::new(),
            io: IoSeen::default(),
        }
    }

    /// A command was completed.
    pub fn on_command(&mut self, record: &CommandRecord) {
        for (wanted, seen) in &mut self.commands {
            if covers(wanted, record) {
                seen.add(record.at);
            }
        }
    }

    /// How often the fault rules have fired by the array's own count
    /// ([`sansim_array::Array::rule_matches`]), which knows of commands that are still held.
    pub fn on_rule_matches(&mut self, matches: &[(Arc<str>, u64)]) {
        for (rule, fired) in matches {
            if let Some(count) = self.fired.get_mut(rule) {
                *count = *fired;
            }
        }
    }

    /// The array's state changed.
    pub fn on_state(&mut self, change: &StateChange) {
        match &change.what {
            Changed::Owner { lun, to, .. } => {
                self.owners.insert(*lun, *to);
            }
            Changed::Lun { lun, change: LunChange::Mapped { .. } } => {
                if let Some(owner) = self.mapped_later.get(lun) {
                    self.owners.insert(*lun, *owner);
                }
            }
            Changed::Lun { lun, change: LunChange::Remapped { to } } => {
                if let Some(owner) = self.owners.remove(lun) {
                    self.owners.insert(*to, owner);
                }
            }
            Changed::Lun { lun, change: LunChange::Unmapped } => {
                self.owners.remove(lun);
            }
            _ => {}
        }
    }

    /// The agent reported something.
    pub fn on_agent_event(&mut self, event: &Event) {
        if let Some(line) = event.what.log_line() {
            for (wanted, count) in &mut self.log {
                *count += u64::from(wanted.is_in(&line));
            }
        }
        match &event.what {
            Happening::Map(status) => self.on_map(status),
            Happening::PathUevent { map, action, .. } => {
                // The kernel has two of these actions; others are not counted.
                if let Some(seen) = self.map(map)
                    && !matches!(action, PathUeventAction::Other(_))
                {
                    *seen.uevents.entry(action.to_string()).or_default() += 1;
                }
            }
            Happening::IoError { .. } => {
                self.io.error_events += 1;
                self.io.errors = self.io.errors.max(self.io.error_events);
            }
            Happening::Corrupt { .. } => self.io.corrupt += 1,
            Happening::StallEnd { lasted_ns, .. } => {
                let lasted = Duration::from_nanos(*lasted_ns);
                self.io.longest_stall = self.io.longest_stall.max(lasted);
            }
            Happening::Progress { reads, writes, errors, .. } => {
                self.io.reads = self.io.reads.max(*reads);
                self.io.writes = self.io.writes.max(*writes);
                self.io.errors = self.io.errors.max(*errors);
            }
            _ => {}
        }
    }

    /// A map's status was read.
    pub fn on_map(&mut self, status: &MapStatus) {
        if let Some(seen) = self.map(&status.map) {
            seen.rounds = seen.rounds.max(status.rounds);
            seen.status = Some(status.clone());
        }
    }

    /// A program that a step runs has ended; no code means that it was killed.
    pub fn on_ran(&mut self, step: &str, code: Option<i32>, output: &str) {
        self.programs.insert(step.to_owned(), Ran { code, output: output.to_owned() });
    }

    /// The workload's own report, which takes the place of what was counted until then.
    pub fn on_workload(&mut self, report: &WorkloadReport) {
        self.io = IoSeen {
            errors: report.errors,
            corrupt: report.corrupt.total(),
            longest_stall: Duration::from_nanos(report.longest_stall_ns),
            reads: report.reads,
            writes: report.writes,
            stuck: report.stuck,
            unchecked: report.unchecked,
            error_events: self.io.error_events,
        };
    }

    fn map(&mut self, name: &str) -> Option<&mut MapSeen> {
        let lun = Scenario::map_lun(name)?;
        let known = self.owners.contains_key(&lun) || self.mapped_later.contains_key(&lun);
        (known || self.maps.contains_key(&lun)).then(|| self.maps.entry(lun).or_default())
    }

    pub(super) fn owner(&self, lun: Lun) -> Option<ControllerId> {
        self.owners.get(&lun).copied()
    }

    pub(super) fn commands(&self, wanted: &CommandCount) -> CommandsSeen {
        let found = self.commands.iter().find(|(w, _)| w == wanted);
        found.map_or(CommandsSeen::default(), |(_, seen)| *seen)
    }

    pub(super) fn log_lines(&self, wanted: &TextMatch) -> u64 {
        self.log.iter().find(|(w, _)| w == wanted).map_or(0, |(_, count)| *count)
    }

    pub(super) fn fired(&self, rule: &str) -> u64 {
        self.fired.get(rule).copied().unwrap_or(0)
    }

    pub(super) fn map_seen(&self, lun: Lun) -> Option<&MapSeen> {
        self.maps.get(&lun)
    }

    /// Which path each `major:minor` is now.
    pub fn know(&mut self, nexus_by_dev: BTreeMap<String, Nexus>) {
        self.nexus_by_dev = nexus_by_dev;
    }

    pub(super) fn nexus(&self, dev: &str) -> Option<Nexus> {
        self.nexus_by_dev.get(dev).copied()
    }

    pub(super) fn program(&self, step: &str) -> Option<&Ran> {
        self.programs.get(step)
    }

    pub(super) fn io(&self) -> &IoSeen {
        &self.io
    }
}

/// Whether a command is one of those to be counted.
fn covers(wanted: &CommandCount, record: &CommandRecord) -> bool {
    let is = |sense: sansim_array::Sense| {
        record.completion.sense.is_some_and(|seen| seen.same_code(&sense))
    };
    wanted.op.is_none_or(|op| op.covers(record.op))
        && wanted.controller.is_none_or(|controller| record.nexus.port.controller == controller)
        && wanted.port.is_none_or(|port| record.nexus.port == port)
        && wanted.hba.is_none_or(|hba| record.nexus.hba == hba)
        && wanted.lun.is_none_or(|lun| record.lun == lun)
        && wanted.sense.is_none_or(is)
        && wanted.status.is_none_or(|status| {
            record.completion.response == sansim_array::ServiceResponse::Ok
                && record.completion.status == status
        })
        && wanted.fault.as_ref().is_none_or(|rule| record.fault.as_deref() == Some(rule.as_str()))
        && wanted.stage.is_none_or(|stage| record.stage == stage)
}
