//! The parts of a scenario's SAN.

use std::ops::Range;

use sansim_array::{
    ControllerId, Controllers, HbaId, Lun, LunConfig, Nexus, NexusPattern, PortId, Ports,
};
use sansim_stage::{Hba, PathPattern};

use super::in_words;

/// An array of a scenario's SAN.
#[derive(Debug, Clone)]
pub(crate) struct ArrayShape {
    pub(crate) name: String,
    pub(crate) serial: String,
    /// The places of its controllers among those of all arrays.
    pub(crate) controllers: Range<usize>,
    /// The number of ports of each controller.
    pub(crate) ports: u8,
}

/// The parts of a scenario's SAN that can be referred to.
pub struct Shape {
    /// The arrays that are known so far, in order.
    pub(crate) arrays: Vec<ArrayShape>,
    pub(crate) hbas: Vec<Hba>,
    /// The LUNs, including those that a step maps later.
    pub(crate) luns: Vec<Lun>,
    /// The LUNs that are there at the start.
    pub(crate) configs: Vec<LunConfig>,
    /// The default LUN: the workload's, or else the first.
    pub(crate) main_lun: Lun,
    /// The highest possible LUN number.
    pub(crate) max_lun: u16,
    /// Whether the SAN is not known, so that every LUN and HBA is taken to be there.
    pub(crate) is_any: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            arrays: Vec::new(),
            hbas: Vec::new(),
            luns: Vec::new(),
            configs: Vec::new(),
            main_lun: Lun(0),
            max_lun: 0,
            is_any: false,
        }
    }
}

impl Shape {
    /// A SAN of which nothing is known. Its default LUN is none that a table would name.
    pub(crate) fn any() -> Self {
        let (main_lun, max_lun) = (Lun(u16::MAX), u16::MAX);
        Shape { main_lun, max_lun, is_any: true, ..Shape::default() }
    }

    /// Whether there is such a LUN.
    pub(crate) fn has_lun(&self, lun: Lun) -> bool {
        self.is_any || self.luns.contains(&lun)
    }

    /// Whether the guest has such an HBA. While the HBAs are not known yet, any can be there.
    pub(crate) fn has_hba(&self, hba: HbaId) -> bool {
        self.is_any || self.hbas.is_empty() || usize::from(hba.0) < self.hbas.len()
    }

    /// The number of paths of a LUN if none is lost; `None` if the SAN is not known.
    pub(crate) fn most_paths(&self) -> Option<u64> {
        let paths = self.hbas.iter().map(|hba| hba.targets.len() as u64).sum();
        (!self.is_any).then_some(paths)
    }

    /// Whether an HBA sees the port of the pattern.
    pub(crate) fn sees(&self, path: PathPattern) -> bool {
        self.hbas
            .iter()
            .any(|hba| path.hba.is_none_or(|id| id == hba.id) && hba.targets.contains(&path.port))
    }

    /// Whether the pattern matches a path. While the HBAs are not known yet, any can be there.
    pub(crate) fn sees_any(&self, to: NexusPattern) -> bool {
        self.is_any || self.hbas.is_empty() || self.nexuses().any(|nexus| to.matches(nexus))
    }

    /// Whether the array has these ports.
    pub(crate) fn has_ports(&self, ports: Ports) -> bool {
        match ports {
            Ports::All => true,
            Ports::Of(it) => self.array_of(it).is_some(),
            Ports::One(port) => {
                self.array_of(port.controller).is_some_and(|array| port.index < array.ports)
            }
        }
    }

    pub(crate) fn has_controller(&self, controller: ControllerId) -> bool {
        self.array_of(controller).is_some()
    }

    /// The array that has a controller.
    pub(crate) fn array_of(&self, controller: ControllerId) -> Option<&ArrayShape> {
        self.arrays.iter().find(|array| array.controllers.contains(&controller.index()))
    }

    /// The number of controllers that are known so far.
    pub(crate) fn controllers(&self) -> usize {
        self.arrays.last().map_or(0, |array| array.controllers.end)
    }

    /// The number of ports that are known so far.
    pub(crate) fn ports(&self) -> usize {
        self.arrays.iter().map(|it| it.controllers.len() * usize::from(it.ports)).sum()
    }

    /// The controllers of the arrays that present a LUN with this owner and this partner. A single array
    /// presents every LUN.
    pub(crate) fn presenters(
        &self,
        owner: ControllerId,
        partner: Option<ControllerId>,
    ) -> Controllers {
        if self.arrays.len() < 2 {
            return Controllers::ALL;
        }
        let arrays = [Some(owner), partner].into_iter().flatten();
        let arrays = arrays.filter_map(|it| self.array_of(it));
        arrays.flat_map(|it| Controllers::from_range(it.controllers.clone()).iter()).collect()
    }

    /// Every path that there can be.
    pub(crate) fn nexuses(&self) -> impl Iterator<Item = Nexus> + '_ {
        let hbas = self.hbas.iter();
        hbas.flat_map(|hba| hba.targets.iter().map(move |&port| Nexus { hba: hba.id, port }))
    }

    pub(crate) fn controllers_in_words(&self) -> String {
        let controllers = (0..self.controllers()).filter_map(ControllerId::new);
        format!("its controllers are {}", in_words(controllers))
    }

    pub(crate) fn ports_in_words(&self) -> String {
        let ports = self.arrays.iter().flat_map(|array| {
            let controllers = array.controllers.clone().filter_map(ControllerId::new);
            controllers.flat_map(|controller| {
                (0..array.ports).map(move |index| PortId { controller, index })
            })
        });
        format!("its ports are {}; [array] ports_per_controller = … sets it", in_words(ports))
    }

    pub(crate) fn luns_in_words(&self) -> String {
        match self.luns[..] {
            [one] => format!("its only LUN is {one}"),
            _ => format!("its LUNs are {}", in_words(self.luns.iter())),
        }
    }

    pub(crate) fn targets_in_words(&self) -> String {
        let hbas =
            self.hbas.iter().map(|hba| format!("{} sees {}", hba.id, in_words(&hba.targets)));
        in_words(hbas)
    }
}
