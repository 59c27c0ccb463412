//! Which nexus sees which LUN, and under which number.

use std::collections::BTreeSet;

use super::state::State;
use crate::{
    fault::ActionError,
    ids::{EncodedLun, HbaId, Lun, Nexus, PortId},
    lun_config::Mapping,
    target::Lunz,
};

impl State {
    /// The own number of the LUN that a nexus sees under this number.
    pub(super) fn volume(&self, nexus: Nexus, number: Lun) -> Option<Lun> {
        // Most LUNs are seen by everybody under their own number.
        if self.units.get(&number).is_some_and(|unit| unit.mapping.is_plain()) {
            return Some(number);
        }
        let seen = self.units.values().find(|unit| unit.number(nexus) == Some(number));
        seen.map(|unit| unit.lun)
    }

    /// What a nexus finds in the list of REPORT LUNS: each LUN as it is encoded, with its own number;
    /// `None` for a LUNZ that is a disk.
    pub(super) fn inventory(&self, nexus: Nexus) -> Vec<(EncodedLun, Option<Lun>)> {
        let numbers = self.units.values().filter_map(|unit| Some((unit.number(nexus)?, unit.lun)));
        let mut numbers: Vec<_> = numbers.map(|(number, own)| (number, Some(own))).collect();
        let target = self.target_of(nexus.port);
        if target.lunz == Lunz::Disk && self.volume(nexus, Lun(0)).is_none() {
            numbers.push((Lun(0), None));
        }
        numbers.sort_unstable();
        let encoded = numbers.into_iter().map(|(number, own)| (target.encode(number), own));
        encoded.collect()
    }

    /// Refuses a mapping by which a nexus would see two LUNs under one number. `own` is the LUN that is
    /// to have the mapping.
    pub(super) fn free_at(&self, own: Lun, mapping: &Mapping) -> Result<(), ActionError> {
        let others = || self.units.values().filter(|unit| unit.lun != own);
        if mapping.is_plain() && others().all(|unit| unit.mapping.is_plain()) {
            return Ok(());
        }
        for nexus in self.every_nexus(mapping) {
            let Some(number) = mapping.number(own, nexus) else { continue };
            if others().any(|unit| unit.number(nexus) == Some(number)) {
                return Err(ActionError::NumberTaken { nexus, number });
            }
        }
        Ok(())
    }

    /// Every nexus that a mapping distinguishes: of the HBAs that are there or that it names, and of one
    /// that is not named.
    fn every_nexus(&self, mapping: &Mapping) -> Vec<Nexus> {
        let mappings = self.units.values().map(|unit| &unit.mapping).chain([mapping]);
        let entries = mappings.flat_map(|mapping| mapping.entries());
        let named: BTreeSet<HbaId> = entries.filter_map(|(to, _)| to.hba).collect();
        let unnamed = (0..=u8::MAX).map(HbaId).find(|hba| !named.contains(hba));
        let hbas = named.iter().copied().chain(unnamed);
        let ports: Vec<PortId> = PortId::all(&self.controllers).collect();
        hbas.flat_map(|hba| ports.iter().map(move |port| Nexus { hba, port: *port })).collect()
    }
}
