//! What there is: a guest, an array, the HBAs between them, the workload and the fault rules. Everything is
//! resolved; sizes are bytes.

mod array;
mod guest;
mod workload;

use std::time::Duration;

pub use array::{Array, Hba};
pub use guest::{Guest, Manager, Multipath, Multipathd, PathGroups, Selector};
use sansim_array::{ArrayConfig, FaultRule, Lun, Nexus};
pub use sansim_lab::UdevRules;
pub use workload::Workload;

/// A guest and the SAN it sees.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The machine under test.
    pub guest: Guest,
    /// The array it sees.
    pub array: Array,
    /// The HBAs it sees the array through, by number.
    pub hbas: Vec<Hba>,
    /// How long the HBA waits for a command that the array has lost before it fails it.
    pub command_timeout: Duration,
    /// The I/O that runs, if any.
    pub workload: Option<Workload>,
    /// The fault rules in the order in which they are tried.
    pub faults: Vec<FaultRule>,
}

impl Setup {
    /// The LUN that is meant where an expectation or a step names none: the workload's, else the
    /// first.
    pub fn main_lun(&self) -> Lun {
        self.workload.as_ref().map_or(self.array.luns[0].lun, |w| w.lun)
    }

    /// The name of a LUN's multipath map in the guest. Every LUN has one.
    pub fn map_name(lun: Lun) -> String {
        format!("lun{lun}")
    }

    /// The LUN of a map named by [`Setup::map_name`].
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
