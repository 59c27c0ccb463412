//! Stretching a LUN to a second array and withdrawing it from one: how a metro cluster is set up, and
//! how a volume migrates. And the lag of its replication.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use sansim_time::Time;

use super::{arrival::Arrival, report::Report, state::State, tell::Told};
use crate::{
    error::ConfigError,
    fault::ActionError,
    ids::{ControllerId, Lun, PortId},
    observe::LunChange,
    unit::{ReplicationLink, Side, Stretch, Sync},
};

impl State {
    /// The stretch of a LUN with this owner to the array of a partner; refuses arrays that cannot
    /// present it as one.
    pub(super) fn stretch_of(
        &self,
        lun: Lun,
        owner: ControllerId,
        partner: ControllerId,
        copying: Option<Duration>,
    ) -> Result<Stretch, ConfigError> {
        let sides = [owner, partner].map(|it| Side::new(self.frame_of(it).controllers, it));
        let [own, far] = sides.map(|side| side.controllers);
        let refuse = |why: String| Err(ConfigError::NotStretchable { lun, why });
        let (mut groups, mut relative) = (BTreeSet::new(), BTreeSet::new());
        for array in [own, far] {
            let mut here = BTreeSet::new();
            for port in PortId::of(array, &self.controllers) {
                let family = self.family_of(port.controller);
                let Some(group) = family.port_group(&self.controllers, port) else {
                    return refuse(format!(
                        "port {port} is in no target port group; that takes personality \"alua\""
                    ));
                };
                here.insert(group);
                if !relative.insert(port.relative(&self.controllers)) {
                    return refuse(format!(
                        "port {port} has the relative target port identifier of another port"
                    ));
                }
            }
            if let Some(group) = here.iter().find(|group| !groups.insert(**group)) {
                return refuse(format!("both have a target port group {group}"));
            }
        }
        Ok(Stretch::new(sides, copying.unwrap_or(self.metro.resync)))
    }

    /// Has another array present a LUN as well.
    pub(super) fn stretch_to(
        &mut self,
        now: Time,
        lun: Lun,
        to: ControllerId,
        copying: Option<Duration>,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        self.known(to)?;
        let far = self.frame_of(to).controllers;
        let unit = self.unit_mut(lun)?;
        if unit.stretch.is_some() {
            return Err(ActionError::Stretched(lun));
        }
        let (owner, before) = (unit.owner, unit.mapping.clone());
        if before.presenters().has(to) {
            let why = "its array presents the LUN already";
            return Err(ConfigError::WrongArray { lun, controller: to, why }.into());
        }
        let after = before.clone().within(before.presenters().and(far));
        self.free_at(lun, &after)?;
        let mut stretch = self.stretch_of(lun, owner, to, copying)?;
        // It has nothing of the data yet.
        stretch.sync = Sync::Apart { witnessed: self.witness };
        (stretch.sides[1].serves, stretch.sides[1].stale) = (false, true);
        let unit = self.unit_mut(lun)?;
        unit.mapping = after.clone();
        unit.stretch = Some(stretch);
        self.lun_changed(now, lun, LunChange::Stretched { to }, report);
        self.replication_follows(now, report);
        Ok(Told::Presented { before: Some((lun, before)), after: Some((lun, after)) })
    }

    /// One of two arrays no longer presents a LUN.
    pub(super) fn withdraw(
        &mut self,
        now: Time,
        lun: Lun,
        array: &Arc<str>,
        report: &mut Report,
    ) -> Result<Told, ActionError> {
        let frame = self.frame_named(array)?;
        let gone = self.frames[usize::from(frame.0)].controllers;
        let unit = self.unit_mut(lun)?;
        let stretch = unit.stretch.as_ref().ok_or(ActionError::NotStretched(lun))?;
        let Some(at) = stretch.sides.iter().position(|side| side.controllers == gone) else {
            let controller = gone.iter().next().unwrap_or(ControllerId::A);
            return Err(ActionError::NotPresented { lun, controller });
        };
        let kept = stretch.sides[1 - at];
        if kept.stale {
            return Err(ActionError::NoCopy { lun, controller: kept.lead });
        }
        let before = unit.mapping.clone();
        let after = before.clone().within(kept.controllers);
        self.hand_over(now, lun, 1 - at, kept.lead, report);
        self.forget_replication(lun);
        let unit = self.unit_mut(lun)?;
        unit.mapping = after.clone();
        unit.stretch = None;
        if gone.has(unit.preferred) {
            unit.preferred = kept.lead;
        }
        self.lun_changed(now, lun, LunChange::Withdrawn { kept: kept.controllers }, report);
        Ok(Told::Presented { before: Some((lun, before)), after: Some((lun, after)) })
    }

    /// How much later a write is carried out because the replication of its LUN lags.
    pub(super) fn lag(&self, arrival: &Arrival) -> Option<Duration> {
        let stretch = self.units.get(&arrival.unit?)?.stretch.as_ref()?;
        let writes = arrival.op?.kind.writes();
        match stretch.link {
            ReplicationLink::Lagging(by) if writes && stretch.connected() => Some(by),
            _ => None,
        }
    }
}
