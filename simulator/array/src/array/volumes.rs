//! Mapping, unmapping, remapping, replacing and resizing LUNs while hosts use them.

use std::sync::Arc;

use sansim_time::Time;

use super::{report::Report, state::State};
use crate::{
    error::ConfigError,
    fault::ActionError,
    ids::Lun,
    lun_config::LunConfig,
    notice::Notice,
    observe::{Changed, LunChange},
    sense::Sense,
    unit::{Apart, Split, Unit, check_size, world_wide_name},
};

impl State {
    pub(super) fn map(
        &mut self,
        now: Time,
        config: LunConfig,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let (lun, bytes) = (config.lun, config.bytes);
        if self.units.contains_key(&lun) {
            return Err(ActionError::LunMapped(lun));
        }
        // The other LUNs report the change. The new LUN itself has nothing to report.
        self.map_lun(config)?;
        self.push_luns_changed(lun);
        self.lun_changed(now, lun, LunChange::Mapped { bytes }, report);
        self.notify_ports(|port| Notice::LunAdded { port, lun }, report);
        Ok(())
    }

    pub(super) fn unmap(
        &mut self,
        now: Time,
        lun: Lun,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        self.push_luns_changed(lun);
        self.lun_changed(now, lun, LunChange::Unmapped, report);
        self.notify_ports(|port| Notice::LunRemoved { port, lun }, report);
        Ok(())
    }

    /// Gives a volume another LUN number. The nexuses that used the old number are not known at the
    /// new one.
    pub(super) fn remap(
        &mut self,
        now: Time,
        lun: Lun,
        to: Lun,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let max = self.personality.max_lun();
        if to.0 > max {
            return Err(ConfigError::LunNumber { lun: to, max }.into());
        }
        if self.units.contains_key(&to) {
            return Err(ActionError::LunMapped(to));
        }
        let mut unit = self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        unit.lun = to;
        unit.nexuses.clear();
        self.units.insert(to, unit);
        self.push_luns_changed(to);
        self.lun_changed(now, lun, LunChange::Remapped { to }, report);
        self.notify_ports(|port| Notice::LunRemoved { port, lun }, report);
        self.notify_ports(|port| Notice::LunAdded { port, lun: to }, report);
        Ok(())
    }

    /// Puts another volume behind the same LUN number. Hosts get a unit attention but no event,
    /// which is what makes it dangerous.
    pub(super) fn replace(
        &mut self,
        now: Time,
        lun: Lun,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let maker = self.family().maker();
        let name = world_wide_name(maker, &self.identity, lun, self.mappings);
        let bytes = self.unit_mut(lun)?.bytes();
        let store = self.store(lun, bytes)?;
        let unit = self.unit_mut(lun)?;
        (unit.store, unit.name, unit.split) = (Arc::new(store), name, None);
        self.mappings = self.mappings.wrapping_add(1);
        self.push_attention(Some(lun), Sense::INQUIRY_DATA_CHANGED, |_| true);
        self.lun_changed(now, lun, LunChange::Replaced, report);
        Ok(())
    }

    /// Queues REPORTED LUNS DATA HAS CHANGED on every LUN except the one that changed.
    fn push_luns_changed(&mut self, news: Lun) {
        for unit in self.units.values_mut().filter(|unit| unit.lun != news) {
            for view in unit.nexuses.values_mut() {
                view.attentions.push(Sense::LUNS_CHANGED);
            }
        }
    }

    pub(super) fn resize(
        &mut self,
        now: Time,
        lun: Lun,
        bytes: u64,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let unit = self.unit_mut(lun)?;
        check_size(lun, bytes, unit.block_bytes)?;
        let resized = unit.stores().try_for_each(|store| store.resize(bytes));
        resized.map_err(|source| ConfigError::Map { lun, bytes, source })?;
        unit.blocks = bytes / u64::from(unit.block_bytes);
        self.lun_changed(now, lun, LunChange::Resized { bytes }, report);
        self.parameters_changed(lun, Sense::CAPACITY_CHANGED, report);
        Ok(())
    }

    /// Makes each controller consider itself the owner of a LUN, or ends that state.
    pub(super) fn split(
        &mut self,
        now: Time,
        lun: Lun,
        apart: Option<Apart>,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let unit = self.unit_mut(lun)?;
        if unit.split.as_ref().map(Split::apart) != apart {
            let bytes = unit.bytes();
            let split = apart.map(|apart| Split::begin(unit.owner, &unit.store, apart)).transpose();
            unit.split = split.map_err(|source| ConfigError::Map { lun, bytes, source })?;
        }
        self.lun_changed(now, lun, LunChange::Split(apart), report);
        Ok(())
    }

    /// Notifies every HBA, and every nexus by a unit attention, that the parameters of a LUN
    /// changed.
    pub(super) fn parameters_changed(&mut self, lun: Lun, sense: Sense, report: &mut Report) {
        self.push_attention(Some(lun), sense, |_| true);
        let (asc, ascq) = (sense.asc, sense.ascq);
        self.notify_ports(|port| Notice::ParametersChanged { port, lun, asc, ascq }, report);
    }

    pub(super) fn lun_changed(&self, now: Time, lun: Lun, change: LunChange, report: &mut Report) {
        report.change(now, Changed::Lun { lun, change });
    }

    pub(super) fn unit_mut(&mut self, lun: Lun) -> Result<&mut Unit, ActionError> {
        self.units.get_mut(&lun).ok_or(ActionError::NoLun(lun))
    }
}
