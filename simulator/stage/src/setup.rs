//! The setup of a stage: a guest, one or several arrays, the HBAs between them, the workload and the fault
//! rules. All names are resolved; sizes are in bytes.

mod array;
mod guest;
mod workload;

use std::time::Duration;

pub use array::{Array, Hba, Memory};
pub use guest::{Guest, Manager, Multipath, Multipathd, PathGroups, QueueMode, Selector};
use sansim_array::{
    ArrayConfig, ControllerId, FaultRule, Lun, LunConfig, MetroConfig, Nexus, PortId,
};
pub use sansim_lab::UdevRules;
pub use workload::Workload;

/// A guest and its SAN.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The machine under test.
    pub guest: Guest,
    /// The arrays that the guest sees, at least one.
    pub arrays: Vec<Array>,
    /// How two arrays present a LUN as one.
    pub metro: MetroConfig,
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
        let first = || self.luns().next().map_or(Lun(0), |config| config.lun);
        self.workload.as_ref().map_or_else(first, |workload| workload.lun)
    }

    /// The first array, which in most scenarios is the only one.
    pub fn first_array(&self) -> &Array {
        &self.arrays[0]
    }

    /// The LUNs of every array, array by array.
    pub fn luns(&self) -> impl Iterator<Item = &LunConfig> {
        self.arrays.iter().flat_map(|array| &array.luns)
    }

    /// The LUN with this number.
    pub fn lun(&self, lun: Lun) -> Option<&LunConfig> {
        self.luns().find(|config| config.lun == lun)
    }

    /// The IDs of the controllers of every array, in order.
    pub fn controller_ids(&self) -> impl Iterator<Item = ControllerId> + '_ {
        self.arrays.iter().flat_map(Array::controller_ids)
    }

    /// The IDs of the ports of every array, controller by controller.
    pub fn ports(&self) -> impl Iterator<Item = PortId> + '_ {
        self.arrays.iter().flat_map(Array::ports)
    }

    /// The array that has a controller.
    pub fn array_of(&self, controller: ControllerId) -> Option<&Array> {
        self.arrays.iter().find(|array| array.controller_ids().any(|it| it == controller))
    }

    /// Whether LUNs can be presented by two arrays.
    pub fn is_metro(&self) -> bool {
        self.arrays.len() > 1
    }

    /// Whether a port is present at the start.
    fn is_plugged(&self, port: PortId) -> bool {
        !self.arrays.iter().any(|array| array.unplugged.contains(&port))
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
        self.nexuses().filter(|nexus| self.is_plugged(nexus.port))
    }

    /// The paths of a LUN at the start: the nexuses that see it. None if there is no such LUN then.
    pub fn paths_of(&self, lun: Lun) -> impl Iterator<Item = Nexus> + '_ {
        let config = self.lun(lun);
        let sees = move |nexus: &Nexus| config.is_some_and(|it| it.number(*nexus).is_some());
        self.first_nexuses().filter(sees)
    }

    /// The device handler of a LUN's map, without `scsi_dh_`: the guest's, or that of the family of the
    /// LUN's array if the first array is of another one. `None` for a map without a handler.
    pub fn handler_of(&self, lun: Lun) -> Option<&str> {
        let array = self.lun(lun).and_then(|config| self.array_of(config.owner));
        array.map_or(self.guest.handler.as_deref(), |array| self.handler_for(array))
    }

    fn handler_for<'s>(&'s self, array: &'s Array) -> Option<&'s str> {
        let chosen = self.guest.handler.as_deref();
        let (first, own) = (self.arrays[0].personality.handler(), array.personality.handler());
        if own == first { chosen } else { chosen.and((own != "none").then_some(own)) }
    }

    /// The kernel modules of the device handlers.
    pub fn handler_modules(&self) -> Vec<String> {
        let handlers = self.arrays.iter().filter_map(|array| self.handler_for(array));
        let mut modules: Vec<String> = Vec::new();
        for module in handlers.map(|name| format!("scsi_dh_{name}")) {
            if !modules.contains(&module) {
                modules.push(module);
            }
        }
        modules
    }

    /// The modules that the guest image must have: the handlers', whoever loads them, and those that the
    /// guest asks for.
    pub fn wanted_modules(&self) -> impl Iterator<Item = String> {
        self.handler_modules().into_iter().chain(self.guest.modules.iter().cloned())
    }

    /// The path groups of a LUN's map in order of preference, without empty ones.
    pub fn path_groups(&self, lun: Lun) -> Vec<Vec<Nexus>> {
        let Some(config) = self.lun(lun) else { return Vec::new() };
        let paths = self.paths_of(lun);
        let mut groups = match self.guest.multipath.path_groups {
            PathGroups::Multibus => vec![paths.collect()],
            PathGroups::Failover => paths.map(|nexus| vec![nexus]).collect(),
            PathGroups::ByOwner => {
                let (owner, others): (Vec<_>, Vec<_>) =
                    paths.partition(|nexus| nexus.port.controller == config.preferred);
                // The other array of a metro cluster is a group of its own.
                let of = |nexus: &Nexus| {
                    self.array_of(nexus.port.controller).map(|it| it.first_controller)
                };
                let home = self.array_of(config.preferred).map(|it| it.first_controller);
                let (near, far) = others.into_iter().partition(|nexus| of(nexus) == home);
                vec![owner, near, far]
            }
        };
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// The configuration of the array for a run with this seed.
    pub fn array_config(&self, seed: u64) -> ArrayConfig {
        array::config(&self.arrays, self.metro, self.faults.clone(), self.command_timeout, seed)
    }
}
