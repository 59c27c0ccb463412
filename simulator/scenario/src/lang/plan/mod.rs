//! A scenario as the runner consumes it: checked, with every default filled in and every name
//! resolved. Durations are story times (from the moment the story begins) unless said otherwise;
//! sizes are bytes.

mod array;
mod display;
mod expect;
mod guest;
mod names;
mod step;
mod workload;

use std::time::Duration;

pub use array::{Array, Hba};
pub use expect::{
    CommandCount, Condition, Deadline, Expectation, FaultCount, IoLimits, Known, LogCount,
    PathExpected, PathState, PathTotals, Ran, Ranges, TextMatch, UeventCount, Versions,
};
pub use guest::{Guest, Manager, Multipath, Multipathd, PathGroups, Selector};
pub use names::PathPattern;
use sansim_array::{ArrayConfig, FaultRule, Lun, Nexus};
pub use step::{Occurrence, Reinstate, Step, StepAction, Trigger};
pub use workload::Workload;

use super::Diagnostics;

/// One story: a guest, an array, what is done to them and what must come of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's name without its extension; what reports call the scenario.
    pub name: String,
    /// One line that says what is shown.
    pub title: String,
    /// More about it, empty if nothing was written.
    pub description: String,
    /// Where the story comes from: reports, commits, kernel functions.
    pub cites: Vec<String>,
    /// Entries of docs/handlers.md that it shows.
    pub covers: Vec<String>,
    /// The seed, if the scenario insists on one.
    pub seed: Option<u64>,
    /// A story that lasts longer fails.
    pub limit: Duration,
    /// When the story is over.
    pub ending: Ending,
    /// The machine under test.
    pub guest: Guest,
    /// The array it sees.
    pub array: Array,
    /// The HBAs it sees the array through, by number.
    pub hbas: Vec<Hba>,
    /// A command that the array loses completes after so long.
    pub command_timeout: Duration,
    /// The I/O that runs during the story, if any.
    pub workload: Option<Workload>,
    /// The fault rules in the order in which they are tried.
    pub faults: Vec<FaultRule>,
    /// What happens, in the order written.
    pub steps: Vec<Step>,
    /// What must be so, in the order written.
    pub expectations: Vec<Expectation>,
    /// What was odd about the scenario but no mistake.
    pub warnings: Diagnostics,
}

/// When a story is over, unless a step ends it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Once every `by` and `at` expectation is decided and every timed step is done, and this long
    /// after that.
    Settled(Duration),
    /// After exactly so long.
    After(Duration),
}

impl Scenario {
    /// The programs of the guest's userland without which it cannot be told: those that manage its
    /// maps, and those that its steps run.
    pub fn wanted_programs(&self) -> impl Iterator<Item = &str> {
        let ran = self.steps.iter().filter_map(|step| match &step.action {
            StepAction::Run { argv, .. } => argv.first().map(String::as_str),
            _ => None,
        });
        self.guest.manager.services().programs().iter().copied().chain(ran)
    }

    /// The scenario with what is expected of these versions.
    pub fn on(&self, versions: &Versions) -> Scenario {
        let mut scenario = self.clone();
        scenario.expectations.retain(|expectation| expectation.on.contain(versions));
        scenario
    }

    /// Whether something depends on the version of multipath-tools.
    pub fn asks_for_multipath_tools(&self) -> bool {
        self.expectations.iter().any(|expectation| {
            let mut ranges =
                expectation.known.iter().map(|known| &known.on).chain([&expectation.on]);
            ranges.any(|ranges| ranges.multipath_tools.is_some())
        })
    }

    /// The LUN that is meant where an expectation or a step names none: the workload's, else the
    /// first.
    pub fn main_lun(&self) -> Lun {
        self.workload.as_ref().map_or(self.array.luns[0].lun, |w| w.lun)
    }

    /// The name of a LUN's multipath map in the guest. Every LUN has one.
    pub fn map_name(lun: Lun) -> String {
        format!("lun{lun}")
    }

    /// The LUN of a map named by [`Scenario::map_name`].
    pub fn map_lun(map: &str) -> Option<Lun> {
        map.strip_prefix("lun")?.parse().ok().map(Lun)
    }

    /// Every nexus of the SAN: each HBA with each of its targets.
    pub fn nexuses(&self) -> impl Iterator<Item = Nexus> + '_ {
        self.hbas
            .iter()
            .flat_map(|hba| hba.targets.iter().map(move |&port| Nexus { hba: hba.id, port }))
    }

    /// Those of which the guest finds something at first.
    pub fn first_nexuses(&self) -> impl Iterator<Item = Nexus> + '_ {
        self.nexuses().filter(|nexus| !self.array.unplugged.contains(&nexus.port))
    }

    /// The path groups of a LUN's map in order of preference, none of them empty.
    pub fn path_groups(&self, lun: Lun) -> Vec<Vec<Nexus>> {
        let Some(config) = self.array.lun(lun) else { return Vec::new() };
        let paths = self.first_nexuses();
        let mut groups = match self.guest.multipath.path_groups {
            PathGroups::Multibus => vec![paths.collect()],
            PathGroups::Failover => paths.map(|nexus| vec![nexus]).collect(),
            PathGroups::ByOwner => {
                let (owner, others): (Vec<_>, Vec<_>) =
                    paths.partition(|nexus| nexus.port.controller == config.preferred);
                vec![owner, others]
            }
        };
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// What the array of a run is made with.
    pub fn array_config(&self, seed: u64) -> ArrayConfig {
        self.array.config(self.faults.clone(), self.command_timeout, seed)
    }
}
