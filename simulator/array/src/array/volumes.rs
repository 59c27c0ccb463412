//! Mapping, masking, replacing and changing LUNs while hosts use them.

use std::sync::Arc;

use sansim_time::Time;

use super::{report::Report, state::State, tell::Told};
use crate::{
    error::ConfigError,
    fault::{ActionError, VolumeChange},
    ids::{ControllerId, Lun, NexusPattern},
    lun_config::{LunConfig, Shown},
    notice::Notifications,
    observe::{Changed, LunChange},
    reservation::Reservations,
    sense::Sense,
    unit::{Apart, NexusView, Split, Unit, check_size, world_wide_name},
};

impl State {
    /// Changes a volume or its presentation, and notifies hosts.
    pub(super) fn change_volume(
        &mut self,
        now: Time,
        change: VolumeChange,
        notify: &Notifications,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        check_notifications(notify)?;
        let told = match change {
            VolumeChange::Map(config) => self.map(now, config, notify, report)?,
            VolumeChange::Unmap { lun } => self.unmap(now, lun, report)?,
            VolumeChange::Remap { lun, to } => self.remap(now, lun, to, notify, report)?,
            VolumeChange::Show { lun, to, shown } => {
                self.show(now, lun, (to, shown), notify, report)?
            }
            VolumeChange::Stretch { lun, to, copying } => {
                self.stretch_to(now, lun, to, copying, report)?
            }
            VolumeChange::Withdraw { lun, array } => self.withdraw(now, lun, &array, report)?,
            VolumeChange::Replace { lun } => self.replace(now, lun, report)?,
            VolumeChange::Rename { lun, name } => self.rename(now, lun, name, report)?,
            VolumeChange::Resize { lun, bytes } => self.resize(now, lun, bytes, report)?,
            VolumeChange::SetReadOnly { lun, read_only } => {
                self.unit_mut(lun)?.read_only = read_only;
                self.lun_changed(now, lun, LunChange::ReadOnly(read_only), report);
                Told::Parameters { lun, sense: Sense::MODE_PARAMETERS_CHANGED }
            }
        };
        self.tell(&told, notify, report);
        Ok(())
    }

    fn map(
        &mut self,
        now: Time,
        config: LunConfig,
        notify: &Notifications,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let (lun, bytes) = (config.lun, config.bytes);
        if self.units.contains_key(&lun) {
            return Err(ActionError::LunMapped(lun));
        }
        let config = self.placed(config)?;
        self.free_at(lun, &config.mapping)?;
        let mapping = config.mapping.clone();
        self.map_lun(config)?;
        self.unit_mut(lun)?.greeting = greeting(notify);
        self.lun_changed(now, lun, LunChange::Mapped { bytes }, report);
        Ok(Told::Presented { before: None, after: Some((lun, mapping)) })
    }

    fn unmap(&mut self, now: Time, lun: Lun, report: &mut Report) -> Result<Told, ActionError> {
        let unit = self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        self.lun_changed(now, lun, LunChange::Unmapped, report);
        Ok(Told::Presented { before: Some((lun, unit.mapping)), after: None })
    }

    /// Gives a volume another LUN number. The nexuses that used the old number are not known at the
    /// new one.
    fn remap(
        &mut self,
        now: Time,
        lun: Lun,
        to: Lun,
        notify: &Notifications,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let max = self.family_owning(lun).max_lun();
        if to.0 > max {
            return Err(ConfigError::LunNumber { lun: to, max }.into());
        }
        if self.units.contains_key(&to) {
            return Err(ActionError::LunMapped(to));
        }
        let mut unit = self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        let mapping = unit.mapping.clone();
        if let Err(error) = self.free_at(to, &mapping) {
            self.units.insert(lun, unit);
            return Err(error);
        }
        unit.lun = to;
        unit.nexuses.clear();
        unit.greeting = greeting(notify);
        self.units.insert(to, unit);
        self.lun_changed(now, lun, LunChange::Remapped { to }, report);
        Ok(Told::Presented { before: Some((lun, mapping.clone())), after: Some((to, mapping)) })
    }

    /// Masks a LUN for some nexuses, or shows it to them. A nexus that sees it anew is not known there.
    fn show(
        &mut self,
        now: Time,
        lun: Lun,
        (to, shown): (NexusPattern, Shown),
        notify: &Notifications,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let max = self.family_owning(lun).max_lun();
        if let Shown::As(number) = shown
            && number.0 > max
        {
            return Err(ConfigError::LunNumber { lun: number, max }.into());
        }
        let before = self.unit_mut(lun)?.mapping.clone();
        let mut after = before.clone();
        after.show(to, shown);
        self.free_at(lun, &after)?;
        let unit = self.unit_mut(lun)?;
        unit.mapping = after.clone();
        let greeting = greeting(notify);
        for (nexus, view) in &mut unit.nexuses {
            if before.number(lun, *nexus) != after.number(lun, *nexus) {
                *view = match &greeting {
                    None => NexusView::default(),
                    Some(greeting) => NexusView::greeted(*nexus, greeting),
                };
            }
        }
        self.lun_changed(now, lun, LunChange::Shown { to, shown }, report);
        Ok(Told::Presented { before: Some((lun, before)), after: Some((lun, after)) })
    }

    /// Puts another volume behind the same LUN number.
    fn replace(&mut self, now: Time, lun: Lun, report: &mut Report) -> Result<Told, ActionError> {
        let bytes = self.unit_mut(lun)?.bytes();
        let store = self.store(lun, bytes)?;
        let owner = self.unit_mut(lun)?.owner;
        let name = self.next_name(lun, owner);
        let unit = self.unit_mut(lun)?;
        (unit.store, unit.split) = (Arc::new(store), None);
        if let Some(stretch) = &mut unit.stretch {
            stretch.copy = None;
        }
        (unit.name, unit.renamed) = (name, true);
        unit.reservations = Reservations::default();
        self.lun_changed(now, lun, LunChange::Replaced, report);
        Ok(Told::Identity { lun })
    }

    fn rename(
        &mut self,
        now: Time,
        lun: Lun,
        name: Option<[u8; 16]>,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let owner = self.unit_mut(lun)?.owner;
        let name = name.unwrap_or_else(|| self.next_name(lun, owner));
        let unit = self.unit_mut(lun)?;
        (unit.name, unit.renamed) = (name, true);
        self.lun_changed(now, lun, LunChange::Renamed { name }, report);
        Ok(Told::Identity { lun })
    }

    /// A name that no LUN has had, made by the array of a controller.
    pub(super) fn next_name(&mut self, lun: Lun, owner: ControllerId) -> [u8; 16] {
        let frame = self.frame_of(owner);
        let maker = frame.identity.oui.unwrap_or(frame.personality.maker());
        let name = world_wide_name(maker, &frame.identity, lun, self.mappings);
        self.mappings = self.mappings.wrapping_add(1);
        name
    }

    fn resize(
        &mut self,
        now: Time,
        lun: Lun,
        bytes: u64,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let unit = self.unit_mut(lun)?;
        check_size(lun, bytes, unit.block_bytes)?;
        let resized = unit.stores().try_for_each(|store| store.resize(bytes));
        resized.map_err(|source| ConfigError::Map { lun, bytes, source })?;
        unit.blocks = bytes / u64::from(unit.block_bytes);
        self.lun_changed(now, lun, LunChange::Resized { bytes }, report);
        Ok(Told::Parameters { lun, sense: Sense::CAPACITY_CHANGED })
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
        if unit.stretch.is_some() {
            return Err(ActionError::Stretched(lun));
        }
        if unit.split.as_ref().map(Split::apart) != apart {
            let bytes = unit.bytes();
            let split = apart.map(|apart| Split::begin(unit.owner, &unit.store, apart)).transpose();
            unit.split = split.map_err(|source| ConfigError::Map { lun, bytes, source })?;
        }
        self.lun_changed(now, lun, LunChange::Split(apart), report);
        Ok(())
    }

    pub(super) fn lun_changed(&self, now: Time, lun: Lun, change: LunChange, report: &mut Report) {
        report.change(now, Changed::Lun { lun, change });
    }

    pub(super) fn unit_mut(&mut self, lun: Lun) -> Result<&mut Unit, ActionError> {
        self.units.get_mut(&lun).ok_or(ActionError::NoLun(lun))
    }
}

/// The unit attentions that wait for a nexus that is not known at a LUN yet: `None` for that of power on.
/// 3F/0E is queued where a nexus is known.
fn greeting(notify: &Notifications) -> Option<Vec<(NexusPattern, Sense)>> {
    let Notifications::Chosen(chosen) = notify else { return None };
    let sense = chosen.iter().filter_map(|one| Some((one.to, one.sense?)));
    Some(sense.filter(|(_, sense)| !sense.same_code(&Sense::LUNS_CHANGED)).collect())
}

fn check_notifications(notify: &Notifications) -> Result<(), ActionError> {
    let Notifications::Chosen(chosen) = notify else { return Ok(()) };
    let wrong = chosen.iter().filter_map(|one| one.sense).find(|it| !it.is_unit_attention());
    wrong.map_or(Ok(()), |sense| Err(ActionError::NotUnitAttention(sense)))
}
