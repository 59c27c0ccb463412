//! What was seen of a run so far.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sansim_array::{
    Action, Changed, CommandRecord, ControllerId, HbaId, Lun, LunChange, Nexus, OpMatcher, PortId,
    Sense, ServiceResponse, Stage, StateChange, Status,
};
use sansim_protocol::{Event, Happening, MapStatus, PathUeventAction, WorkloadReport};
use sansim_time::Time;

use crate::{Setup, TextMatch};

/// What was seen of a run so far. Commands and log lines are counted only as far as some condition asks for
/// them, so that its size does not depend on what the guest does.
#[derive(Debug, Clone)]
pub struct World {
    nexus_by_dev: BTreeMap<String, Nexus>,
    /// The owner of each LUN that was mapped while the run went on.
    mapped_later: BTreeMap<Lun, ControllerId>,
    owners: BTreeMap<Lun, ControllerId>,
    /// How often each LUN has changed hands in the story.
    owner_changes: BTreeMap<Lun, u64>,
    commands: Vec<(CommandFilter, CommandsSeen)>,
    log: Vec<(TextMatch, u64)>,
    fired: BTreeMap<Arc<str>, u64>,
    maps: BTreeMap<Lun, MapSeen>,
    programs: BTreeMap<String, Ran>,
    io: IoSeen,
}

/// Something that is counted because a condition asks for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// Completed commands.
    Commands(CommandFilter),
    /// Lines of the guest's log.
    LogLines(TextMatch),
}

/// Which commands count; what is none matches anything.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandFilter {
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
}

impl CommandFilter {
    /// Whether a command is one of those to be counted.
    fn covers(&self, record: &CommandRecord) -> bool {
        let answered = &record.completion;
        let is = |sense: Sense| answered.sense.is_some_and(|seen| seen.same_code(&sense));
        self.op.is_none_or(|op| op.covers(record.op))
            && self.controller.is_none_or(|controller| record.nexus.port.controller == controller)
            && self.port.is_none_or(|port| record.nexus.port == port)
            && self.hba.is_none_or(|hba| record.nexus.hba == hba)
            && self.lun.is_none_or(|lun| record.lun == lun)
            && self.sense.is_none_or(is)
            && self.status.is_none_or(|status| {
                answered.response == ServiceResponse::Ok && answered.status == status
            })
            && self.fault.as_ref().is_none_or(|rule| record.fault.as_deref() == Some(rule.as_str()))
            && self.stage.is_none_or(|stage| record.stage == stage)
    }
}

/// What was seen of a map.
#[derive(Debug, Clone, Default)]
pub struct MapSeen {
    /// Its last status.
    pub status: Option<MapStatus>,
    /// The highest `pg_init_count`.
    pub rounds: u32,
    /// Path uevents by action.
    pub uevents: BTreeMap<String, u64>,
}

/// How many commands of a kind were completed, and how close together they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandsSeen {
    /// How many.
    pub count: u64,
    /// The shortest time from the arrival of one to that of the next, in the order of arrival.
    pub gap: Option<Duration>,
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

/// How a program of the guest has ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// Standard output, then standard error.
    pub output: String,
}

/// Totals of the workload.
#[derive(Debug, Clone, Copy, Default)]
pub struct IoSeen {
    /// Requests that failed.
    pub errors: u64,
    /// Blocks that did not hold what they should.
    pub corrupt: u64,
    /// The longest gap without a completion while I/O was in flight.
    pub longest_stall: Duration,
    /// Reads completed.
    pub reads: u64,
    /// Writes completed.
    pub writes: u64,
    /// Requests that never came back.
    pub stuck: u64,
    /// Blocks that could not be read back at the end.
    pub unchecked: u64,
    /// Errors that were reported one by one; never more than there are.
    error_events: u64,
}

impl World {
    /// The world at the beginning of a run. `nexus_by_dev` says which path each `major:minor` is, `counted`
    /// what has to be counted for the conditions that are to be judged.
    pub fn new(
        setup: &Setup,
        nexus_by_dev: BTreeMap<String, Nexus>,
        counted: impl IntoIterator<Item = Counted>,
    ) -> World {
        let (mut commands, mut log) = (Vec::new(), Vec::new());
        for counted in counted {
            match counted {
                Counted::Commands(filter) => commands.push((filter, CommandsSeen::default())),
                Counted::LogLines(text) => log.push((text, 0)),
            }
        }
        World {
            nexus_by_dev,
            mapped_later: BTreeMap::new(),
            owners: setup.array.luns.iter().map(|config| (config.lun, config.owner)).collect(),
            owner_changes: BTreeMap::new(),
            commands,
            log,
            fired: setup.faults.iter().map(|rule| (Arc::clone(&rule.name), 0)).collect(),
            maps: BTreeMap::new(),
            programs: BTreeMap::new(),
            io: IoSeen::default(),
        }
    }

    /// Something is about to be done to the array.
    pub fn on_action(&mut self, action: &Action) {
        if let Action::MapLun(config) = action {
            self.mapped_later.insert(config.lun, config.owner);
        }
    }

    /// A command was completed.
    pub fn on_command(&mut self, record: &CommandRecord) {
        for (wanted, seen) in &mut self.commands {
            if wanted.covers(record) {
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
                *self.owner_changes.entry(*lun).or_default() += 1;
            }
            // What came before is discovery's.
            Changed::Stage(Stage::Story) => self.owner_changes.clear(),
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
        let lun = Setup::map_lun(name)?;
        let known = self.owners.contains_key(&lun) || self.mapped_later.contains_key(&lun);
        (known || self.maps.contains_key(&lun)).then(|| self.maps.entry(lun).or_default())
    }

    /// The owner of a LUN; none if it is not mapped.
    pub fn owner(&self, lun: Lun) -> Option<ControllerId> {
        self.owners.get(&lun).copied()
    }

    /// How often a LUN has changed hands since the story began.
    pub fn owner_changes(&self, lun: Lun) -> u64 {
        self.owner_changes.get(&lun).copied().unwrap_or(0)
    }

    /// The commands that were counted for a condition.
    pub fn commands(&self, wanted: &CommandFilter) -> CommandsSeen {
        let found = self.commands.iter().find(|(w, _)| w == wanted);
        found.map_or(CommandsSeen::default(), |(_, seen)| *seen)
    }

    /// The log lines that were counted for a condition.
    pub fn log_lines(&self, wanted: &TextMatch) -> u64 {
        self.log.iter().find(|(w, _)| w == wanted).map_or(0, |(_, count)| *count)
    }

    /// How often a fault rule has fired.
    pub fn fired(&self, rule: &str) -> u64 {
        self.fired.get(rule).copied().unwrap_or(0)
    }

    /// What was seen of a LUN's map.
    pub fn map_seen(&self, lun: Lun) -> Option<&MapSeen> {
        self.maps.get(&lun)
    }

    /// Which path each `major:minor` is now.
    pub fn know(&mut self, nexus_by_dev: BTreeMap<String, Nexus>) {
        self.nexus_by_dev = nexus_by_dev;
    }

    /// The path that a `major:minor` is.
    pub fn nexus(&self, dev: &str) -> Option<Nexus> {
        self.nexus_by_dev.get(dev).copied()
    }

    /// How the program of a step has ended; none if it has not.
    pub fn program(&self, step: &str) -> Option<&Ran> {
        self.programs.get(step)
    }

    /// Totals of the workload.
    pub fn io(&self) -> &IoSeen {
        &self.io
    }
}
