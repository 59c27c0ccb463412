//! The setup of a stage: a guest, an array, the HBAs between them, the workload and the fault
//! rules. All names are resolved; sizes are in bytes.

mod array;
mod guest;
mod workload;

use std::time::Duration;

pub use array::{Array, Hba, Memory};
pub use guest::{Guest, Manager, Multipath, Multipathd, PathGroups, QueueMode, Selector};
use sansim_array::{ArrayConfig, FaultRule, Lun, Nexus};
pub use sansim_lab::UdevRules;
pub use workload::Workload;

/// A guest and its SAN.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The machine under test.
    pub guest: Guest,
    /// The array that the guest sees.
    pub array: Array,
    /// The HBAs of the guest, by number.
    pub hbas: Vec<Hba>,
    /// How long the HBA waits for a command that the array has lost before it fails the command.
    pub command_timeout: Duration,
    /// The workload, if any.
    pub workload: Option<Workload>,
    /// The fault rules, in the order in which they are matched.
    pub faults: Vec<FaultRule>,
}

impl Setup {
    /// The default LUN of expectations and steps: the workload's, or else the first.
    pub fn main_lun(&self) -> Lun {
        self.workload.as_ref().map_or(self.array.luns[0].lun, |w| w.lun)
    }

    /// The name of a LUN's multipath map in the guest. Every LUN has one.
    pub fn map_name(lun: Lun) -> String {
        format!("lun{lun}")
    }

    /// The inverse of [`Setup::map_name`].
    pub fn map_lun(map: &str) -> Option<Lun> {
        map.strip_prefix("lun")?.parse().ok().map(Lun)
    }

    /// Every nexus of the SAN: each HBA with each of its targets.
    pub fn nexuses(&self) -> impl Iterator<Item = Nexus> + '_ {
        self.hbas
            .iter()
            .flat_map(|hba| hba.targets.iter().map(move |&port| Nexus { hba: hba.id, port }))
    }

    /// The nexuses whose port is present at the start.
    pub fn first_nexuses(&self) -> impl Iterator<Item = Nexus> + '_ {
        self.nexuses().filter(|nexus| !self.array.unplugged.contains(&nexus.port))
    }

    /// The paths of a LUN at the start: the nexuses that see it. None if there is no such LUN then.
    pub fn paths_of(&self, lun: Lun) -> impl Iterator<Item = Nexus> + '_ {
        let config = self.array.lun(lun);
        let sees = move |nexus: &Nexus| config.is_some_and(|it| it.number(*nexus).is_some());
        self.first_nexuses().filter(sees)
    }

    /// The path groups of a LUN's map in order of preference, without empty ones.
    pub fn path_groups(&self, lun: Lun) -> Vec<Vec<Nexus>> {
        let Some(config) = self.array.lun(lun) else { return Vec::new() };
        let paths = self.paths_of(lun);
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

    /// The configuration of the array for a run with this seed.
    pub fn array_config(&self, seed: u64) -> ArrayConfig {
        self.array.config(self.faults.clone(), self.command_timeout, seed)
    }
}
