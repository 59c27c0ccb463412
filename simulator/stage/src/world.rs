//! What has been observed in a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use sansim_array::{
    Action, Changed, CommandRecord, ControllerId, Controllers, HbaId, Lun, LunChange, Nexus,
    OpMatcher, PortId, Replication, Sense, ServiceResponse, Stage, StateChange, Status,
    VolumeChange,
};
use sansim_protocol::{Ended, Event, Happening, MapStatus, PathUeventAction, WorkloadReport};
use sansim_time::Time;

use crate::{IoSeen, Setup, TextMatch, io::Totals};

/// What has been observed in a run. Commands and log lines are counted only as far as conditions
/// need them, so that the size does not depend on the guest.
#[derive(Debug, Clone)]
pub struct World {
    /// Where each disk is, by `major:minor`, those that have been removed included.
    places: BTreeMap<String, (Nexus, Lun)>,
    /// The disks that the guest has for each LUN, by `major:minor`.
    disks: BTreeMap<Lun, BTreeSet<String>>,
    /// The owner of each LUN that was mapped during the run.
    mapped_later: BTreeMap<Lun, ControllerId>,
    owners: BTreeMap<Lun, ControllerId>,
    /// The LUNs that two arrays present: their replication, and the controllers that serve them.
    replications: BTreeMap<Lun, (Replication, Controllers)>,
    /// Whether the reports of discovery are still to come.
    discovering: bool,
    /// The number of ownership changes of each LUN during the story.
    owner_changes: BTreeMap<Lun, u64>,
    commands: Vec<(CommandFilter, CommandsSeen)>,
    log: Vec<(TextMatch, u64)>,
    fired: BTreeMap<Arc<str>, u64>,
    maps: BTreeMap<Lun, MapSeen>,
    programs: BTreeMap<String, Ran>,
    /// The acts that have been carried out, by name.
    done: BTreeSet<String>,
    io: Totals,
}

/// Something that a condition needs counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// The completed commands that match the filter.
    Commands(CommandFilter),
    /// The lines of the guest's log that match the pattern.
    LogLines(TextMatch),
}

/// Selects commands to count. A field with `None` matches anything.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandFilter {
    /// The operation.
    pub op: Option<OpMatcher>,
    /// The controller that received the command.
    pub controller: Option<ControllerId>,
    /// The port that received the command.
    pub port: Option<PortId>,
    /// The HBA that sent the command.
    pub hba: Option<HbaId>,
    /// The LUN to which the command was addressed.
    pub lun: Option<Lun>,
    /// The sense with which the command was completed.
    pub sense: Option<Sense>,
    /// The SCSI status with which the command was completed.
    pub status: Option<Status>,
    /// The fault rule that caught the command.
    pub fault: Option<String>,
    /// The stage of the run in which the command arrived.
    pub stage: Option<Stage>,
}

impl CommandFilter {
    /// Whether the filter selects this command.
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

/// What has been observed of a map.
#[derive(Debug, Clone, Default)]
pub struct MapSeen {
    /// The last known status.
    pub status: Option<MapStatus>,
    /// Whether the map has been removed since.
    pub is_removed: bool,
    /// The highest `pg_init_count` so far.
    pub rounds: u32,
    /// The number of path uevents, by action.
    pub uevents: BTreeMap<String, u64>,
}

/// The number of completed commands of a kind, and the shortest time between two of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandsSeen {
    /// The number of commands.
    pub count: u64,
    /// The shortest time between consecutive arrivals, in the order of arrival; `None` with fewer
    /// than two commands.
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

/// The result of a program in the guest.
#[derive(Debug, Clone)]
pub struct Ran {
    /// How the program ended.
    pub ended: Ended,
    /// The standard output followed by the standard error.
    pub output: String,
}

impl World {
    /// The world at the beginning of a run. `places` are the disks that the guest has, by
    /// `major:minor`; `counted` is what must be counted so that the conditions can be evaluated.
    pub fn new(
        setup: &Setup,
        places: BTreeMap<String, (Nexus, Lun)>,
        counted: impl IntoIterator<Item = Counted>,
    ) -> World {
        let mut world = World {
            places: BTreeMap::new(),
            disks: BTreeMap::new(),
            mapped_later: BTreeMap::new(),
            discovering: false,
            owners: setup.luns().map(|config| (config.lun, config.owner)).collect(),
            replications: setup
                .luns()
                .filter(|config| config.partner.is_some())
                .map(|config| (config.lun, (Replication::Up, config.mapping.presenters())))
                .collect(),
            owner_changes: BTreeMap::new(),
            commands: Vec::new(),
            log: Vec::new(),
            fired: setup.faults.iter().map(|rule| (Arc::clone(&rule.name), 0)).collect(),
            maps: BTreeMap::new(),
            programs: BTreeMap::new(),
            done: BTreeSet::new(),
            io: Totals::default(),
        };
        places.into_iter().for_each(|(dev, place)| world.on_disk(dev, place));
        counted.into_iter().for_each(|counted| world.count(counted));
        world
    }

    /// Counts this from now on, from 0.
    pub fn count(&mut self, counted: Counted) {
        match counted {
            Counted::Commands(filter) => {
                self.commands.retain(|(known, _)| *known != filter);
                self.commands.push((filter, CommandsSeen::default()));
            }
            Counted::LogLines(text) => {
                self.log.retain(|(known, _)| *known != text);
                self.log.push((text, 0));
            }
        }
    }

    /// Records an action on the array that is about to be performed.
    pub fn on_action(&mut self, action: &Action) {
        match action {
            Action::Volume { change: VolumeChange::Map(config), .. } => {
                self.mapped_later.insert(config.lun, config.owner);
            }
            Action::AddRule(rule) => {
                self.fired.insert(Arc::clone(&rule.name), 0);
            }
            _ => {}
        }
    }

    /// Records a completed command.
    pub fn on_command(&mut self, record: &CommandRecord) {
        for (wanted, seen) in &mut self.commands {
            if wanted.covers(record) {
                seen.add(record.at);
            }
        }
    }

    /// Sets the firing counts of the fault rules to the array's own counts
    /// ([`sansim_array::Array::rule_matches`]), which include commands that are still held.
    pub fn on_rule_matches(&mut self, matches: &[(Arc<str>, u64)]) {
        for (rule, fired) in matches {
            if let Some(count) = self.fired.get_mut(rule) {
                *count = *fired;
            }
        }
    }

    /// Sets who owns each LUN as the story begins, and how it is replicated. Changes of the owner during discovery, which are reported
    /// later, are of no account.
    pub fn begin_with(
        &mut self,
        owners: impl IntoIterator<Item = (Lun, ControllerId)>,
        replications: impl IntoIterator<Item = (Lun, (Replication, Controllers))>,
    ) {
        self.owners = owners.into_iter().collect();
        self.replications = replications.into_iter().collect();
        self.discovering = true;
    }

    /// Records a change of the array's state.
    pub fn on_state(&mut self, change: &StateChange) {
        match &change.what {
            Changed::Stage(Stage::Story) => {
                self.discovering = false;
                self.owner_changes.clear();
            }
            Changed::Owner { .. } if self.discovering => {}
            Changed::Lun { change: LunChange::Replication { .. }, .. } if self.discovering => {}
            Changed::Lun { lun, change: LunChange::Replication { is, serving } } => {
                self.replications.insert(*lun, (*is, *serving));
            }
            Changed::Lun { lun, change: LunChange::Withdrawn { .. } } => {
                self.replications.remove(lun);
            }
            Changed::Owner { lun, to, .. } => {
                self.owners.insert(*lun, *to);
                *self.owner_changes.entry(*lun).or_default() += 1;
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
                if let Some(replication) = self.replications.remove(lun) {
                    self.replications.insert(*to, replication);
                }
            }
            Changed::Lun { lun, change: LunChange::Unmapped } => {
                self.owners.remove(lun);
                self.replications.remove(lun);
            }
            _ => {}
        }
    }

    /// Records a report of the agent.
    pub fn on_agent_event(&mut self, event: &Event) {
        if let Some(line) = event.what.log_line() {
            for (wanted, count) in &mut self.log {
                *count += u64::from(wanted.is_in(&line));
            }
        }
        match &event.what {
            Happening::Map(status) => self.on_map(status),
            Happening::MapRemoved { map } => {
                for seen in self.maps.values_mut() {
                    seen.is_removed |= seen.status.as_ref().is_some_and(|it| it.map == *map);
                }
            }
            Happening::PathUevent { map, action, .. } => {
                // The kernel has only these two actions; others are ignored.
                if !matches!(action, PathUeventAction::Other(_)) {
                    for lun in self.luns_with(map) {
                        let seen = self.maps.entry(lun).or_default();
                        *seen.uevents.entry(action.to_string()).or_default() += 1;
                    }
                }
            }
            what => self.io.on_happening(what),
        }
    }

    /// Records a map's status.
    pub fn on_map(&mut self, status: &MapStatus) {
        for lun in self.luns_of(status) {
            let seen = self.maps.entry(lun).or_default();
            seen.rounds = seen.rounds.max(status.rounds);
            seen.status = Some(status.clone());
            seen.is_removed = false;
        }
    }

    /// Records a disk that the guest has.
    pub fn on_disk(&mut self, dev: String, place: (Nexus, Lun)) {
        self.on_disk_removed(&dev);
        self.disks.entry(place.1).or_default().insert(dev.clone());
        self.places.insert(dev, place);
    }

    /// Records that a disk was removed.
    pub fn on_disk_removed(&mut self, dev: &str) {
        if let Some(disks) = self.places.get(dev).and_then(|(_, lun)| self.disks.get_mut(lun)) {
            disks.remove(dev);
        }
    }

    /// Records that the act with this name has been carried out.
    pub fn on_done(&mut self, step: &str) {
        self.done.insert(step.to_owned());
    }

    /// Records the end of a program that a step ran.
    pub fn on_ran(&mut self, step: &str, ended: Ended, output: &str) {
        self.programs.insert(step.to_owned(), Ran { ended, output: output.to_owned() });
    }

    /// Records that a workload has started on a LUN's map.
    pub fn on_workload_start(&mut self, lun: Lun) {
        self.io.on_start(lun);
    }

    /// Replaces the totals of the LUN's last workload with those of its own report.
    pub fn on_workload(&mut self, lun: Lun, report: &WorkloadReport) {
        self.io.on_report(lun, report);
    }

    /// The LUNs that a map is of: the one that it is named after, and those of its disks.
    pub fn luns_of(&self, status: &MapStatus) -> BTreeSet<Lun> {
        let disks = status.paths().filter_map(|path| self.places.get(&path.dev));
        disks.map(|(_, lun)| *lun).chain(self.named_after(&status.map)).collect()
    }

    /// The LUNs whose map has this name.
    fn luns_with(&self, map: &str) -> BTreeSet<Lun> {
        let is_it = |seen: &MapSeen| seen.status.as_ref().is_some_and(|status| status.map == map);
        let luns = self.maps.iter().filter(|(_, seen)| is_it(seen)).map(|(lun, _)| *lun);
        luns.chain(self.named_after(map)).collect()
    }

    /// The LUN that a map is named after, if there is or was such a LUN.
    fn named_after(&self, map: &str) -> Option<Lun> {
        let lun = Setup::map_lun(map)?;
        let known = self.owners.contains_key(&lun) || self.mapped_later.contains_key(&lun);
        (known || self.maps.contains_key(&lun)).then_some(lun)
    }

    /// The owner of a LUN; `None` if the LUN is not mapped.
    pub fn owner(&self, lun: Lun) -> Option<ControllerId> {
        self.owners.get(&lun).copied()
    }

    /// The replication of a LUN, and the controllers of the arrays that serve it; `None` if one array
    /// presents it.
    pub fn replication(&self, lun: Lun) -> Option<(Replication, Controllers)> {
        self.replications.get(&lun).copied()
    }

    /// The number of ownership changes of a LUN since the story began.
    pub fn owner_changes(&self, lun: Lun) -> u64 {
        self.owner_changes.get(&lun).copied().unwrap_or(0)
    }

    /// What was counted for this filter.
    pub fn commands(&self, wanted: &CommandFilter) -> CommandsSeen {
        let found = self.commands.iter().find(|(w, _)| w == wanted);
        found.map_or(CommandsSeen::default(), |(_, seen)| *seen)
    }

    /// The number of log lines that were counted for this pattern.
    pub fn log_lines(&self, wanted: &TextMatch) -> u64 {
        self.log.iter().find(|(w, _)| w == wanted).map_or(0, |(_, count)| *count)
    }

    /// The number of times that a fault rule has fired.
    pub fn fired(&self, rule: &str) -> u64 {
        self.fired.get(rule).copied().unwrap_or(0)
    }

    /// What has been observed of a LUN's map.
    pub fn map_seen(&self, lun: Lun) -> Option<&MapSeen> {
        self.maps.get(&lun)
    }

    /// The status of the map that a LUN has; `None` if it has none.
    pub fn map_of(&self, lun: Lun) -> Option<&MapStatus> {
        self.maps.get(&lun).filter(|seen| !seen.is_removed)?.status.as_ref()
    }

    /// The name of a LUN's map; the usual one if the LUN has no map.
    pub fn map_name(&self, lun: Lun) -> String {
        self.map_of(lun).map_or_else(|| Setup::map_name(lun), |status| status.map.clone())
    }

    /// The names of the maps, by the LUNs that have one.
    pub fn map_names(&self) -> BTreeMap<Lun, String> {
        let names = self.maps.keys().filter_map(|lun| Some((*lun, self.map_of(*lun)?.map.clone())));
        names.collect()
    }

    /// The number of disks that the guest has for a LUN.
    pub fn disks(&self, lun: Lun) -> usize {
        self.disks.get(&lun).map_or(0, BTreeSet::len)
    }

    /// The nexus of the disk with this `major:minor`.
    pub fn nexus(&self, dev: &str) -> Option<Nexus> {
        self.places.get(dev).map(|(nexus, _)| *nexus)
    }

    /// The result of the program of a step; `None` if it has not ended.
    pub fn program(&self, step: &str) -> Option<&Ran> {
        self.programs.get(step)
    }

    /// Whether the act with this name has been carried out.
    pub fn is_done(&self, step: &str) -> bool {
        self.done.contains(step)
    }

    /// The totals of the workloads of each LUN that had one.
    pub fn io_by_lun(&self) -> impl Iterator<Item = (Lun, IoSeen)> + '_ {
        self.io.by_lun()
    }

    /// The totals of all workloads.
    pub fn io(&self) -> IoSeen {
        self.io.all()
    }
}
