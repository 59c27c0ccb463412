//! Metro clusters: who goes on with a stretched LUN when the arrays lose each other, and how they come
//! together again.
//!
//! The arrays lose each other if the replication link of the LUN is down, if all controllers of one of
//! them are silent, or if one is isolated. Until it is decided who goes on, both refuse medium accesses
//! for a while (arbitration). If the witness was there when they lost each other, it gives the LUN to one
//! array that reaches it: the one with the preferred controller, if that does. If it was away before,
//! [`WithoutWitness`] says what happens. An array that has fallen behind never goes on by itself.

use std::sync::Arc;

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::{
    config::WithoutWitness,
    controller::ControllerState,
    fault::{ActionError, ArrayState},
    ids::{ControllerId, Controllers, FrameId, Lun},
    observe::{Changed, LunChange},
    unit::{ReplicationLink, Side, Stretch, Sync, Unit},
};

/// The steps in which copying is reported, in percent.
const COPIED: [u8; 4] = [25, 50, 75, 100];

impl State {
    /// Fails, isolates or restores a whole array.
    pub(super) fn set_array(
        &mut self,
        now: Time,
        array: &Arc<str>,
        state: ArrayState,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let frame = self.frame_named(array)?;
        let isolated = state == ArrayState::Isolated;
        let changed = match isolated {
            true => self.isolated.insert(frame),
            false => self.isolated.remove(&frame),
        };
        if changed {
            report.change(now, Changed::Isolated { array: array.clone(), isolated });
        }
        let to = match state {
            ArrayState::Failed => Some(ControllerState::Failed),
            ArrayState::Online => Some(ControllerState::Online),
            ArrayState::Isolated => None,
        };
        for controller in self.frames[usize::from(frame.0)].controllers.iter() {
            if let Some(to) = to {
                self.run_through(now, controller, &[], to, report)?;
            }
        }
        self.replication_follows(now, report);
        Ok(())
    }

    /// The witness comes or goes.
    pub(super) fn set_witness(
        &mut self,
        now: Time,
        present: bool,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        if self.stretched().is_empty() {
            return Err(ActionError::NothingStretched);
        }
        if std::mem::replace(&mut self.witness, present) != present {
            report.change(now, Changed::Witness { present });
            self.replication_follows(now, report);
        }
        Ok(())
    }

    /// Changes the replication link of a LUN, or of every stretched one.
    pub(super) fn set_replication(
        &mut self,
        now: Time,
        lun: Option<Lun>,
        link: ReplicationLink,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let luns = match lun {
            Some(lun) => vec![lun],
            None => self.stretched(),
        };
        if luns.is_empty() {
            return Err(ActionError::NothingStretched);
        }
        for lun in luns {
            let unit = self.unit_mut(lun)?;
            let stretch = unit.stretch.as_mut().ok_or(ActionError::NotStretched(lun))?;
            let before = stretch.replication();
            stretch.link = link;
            if stretch.replication() != before {
                self.tell_replication(now, lun, report);
            }
        }
        self.replication_follows(now, report);
        Ok(())
    }

    /// Lets every stretched LUN follow what its arrays reach.
    pub(super) fn replication_follows(&mut self, now: Time, report: &mut Report) {
        for lun in self.stretched() {
            let Some(stretch) = self.stretch(lun) else { continue };
            let unserved = stretch.sides.iter().all(|side| !side.serves);
            match (stretch.sync, self.reach_each_other(stretch)) {
                (Sync::Synced, false) => self.lose_replication(now, lun, report),
                (Sync::Resync { .. }, false) => self.lose_resync(now, lun, report),
                (Sync::Arbitration { .. } | Sync::Apart { .. }, true) => {
                    self.regain_replication(now, lun, report);
                }
                // Who could not go on before may now.
                (Sync::Apart { .. }, false) if unserved => self.arbitrate(now, lun, report),
                _ => {}
            }
        }
    }

    /// Both arrays stop serving the LUN until it is decided who goes on.
    fn lose_replication(&mut self, now: Time, lun: Lun, report: &mut Report) {
        let (witnessed, arbitration) = (self.witness, self.metro.arbitration);
        self.change_stretch(now, lun, report, |unit, stretch| {
            unit.moving = None;
            stretch.sync = Sync::Arbitration { witnessed };
            stretch.sides.iter_mut().for_each(|side| side.serves = false);
        });
        if arbitration.is_zero() {
            self.arbitrate(now, lun, report);
        } else {
            self.plan(now + arbitration, Event::Arbitration(lun), report);
        }
    }

    /// Copying ends halfway: the array that lacks data goes on lacking it.
    fn lose_resync(&mut self, now: Time, lun: Lun, report: &mut Report) {
        self.forget_replication(lun);
        let witnessed = self.witness;
        self.change_stretch(now, lun, report, |_, stretch| {
            stretch.sync = Sync::Apart { witnessed };
        });
    }

    /// Decides which array goes on with a LUN.
    pub(super) fn arbitrate(&mut self, now: Time, lun: Lun, report: &mut Report) {
        let Some(unit) = self.units.get(&lun) else { return };
        let Some(stretch) = &unit.stretch else { return };
        let (Sync::Arbitration { witnessed } | Sync::Apart { witnessed }) = stretch.sync else {
            return;
        };
        let winners = self.winners(unit, stretch, witnessed);
        if winners == [false; 2] && matches!(stretch.sync, Sync::Apart { .. }) {
            return; // As before.
        }
        let preferred = stretch.side_of(unit.preferred);
        let leads = [0, 1].map(|side| self.lead_of(&stretch.sides[side]));
        self.change_stretch(now, lun, report, |unit, stretch| {
            stretch.sync = Sync::Apart { witnessed };
            for (side, wins) in stretch.sides.iter_mut().zip(winners) {
                side.serves = wins;
            }
            // Data that is not the volume's any more.
            let apart = match winners {
                [true, true] => Some(1 - preferred),
                [true, false] => Some(1),
                [false, true] => Some(0),
                [false, false] => None,
            };
            if let Some(apart) = apart {
                stretch.sides[apart].stale = true;
                // Without memory for it there is no copy, and the array cannot be forced to serve it.
                let _ = stretch.set_apart(apart, &unit.store);
            }
        });
        for (side, lead) in leads.into_iter().enumerate() {
            self.set_lead(lun, side, lead);
        }
        if let Some(winner) = winners.iter().position(|wins| *wins).filter(|_| winners != [true; 2])
        {
            self.hand_over(now, lun, winner, leads[winner], report);
        }
    }

    /// Which of the two arrays go on.
    fn winners(&self, unit: &Unit, stretch: &Stretch, witnessed: bool) -> [bool; 2] {
        let preferred = stretch.side_of(unit.preferred);
        let able = [0, 1].map(|side| {
            let side = &stretch.sides[side];
            self.is_alive(side.controllers) && !side.stale
        });
        let only = |winner: usize| [0, 1].map(|side| side == winner);
        if witnessed {
            let asks = [0, 1].map(|side| {
                let isolated = self.is_isolated(stretch.sides[side].controllers);
                able[side] && self.witness && !isolated
            });
            let order = [preferred, 1 - preferred];
            return order.into_iter().find(|side| asks[*side]).map_or([false; 2], only);
        }
        match self.metro.without_witness {
            WithoutWitness::Preferred if able[preferred] => only(preferred),
            WithoutWitness::Preferred | WithoutWitness::Neither => [false; 2],
            WithoutWitness::Both => able,
        }
    }

    /// The arrays reach each other again.
    fn regain_replication(&mut self, now: Time, lun: Lun, report: &mut Report) {
        self.forget_replication(lun);
        let Some(stretch) = self.stretch(lun) else { return };
        let copying = stretch.copying;
        if stretch.sides.iter().all(|side| !side.stale) {
            return self.agree(now, lun, report);
        }
        self.change_stretch(now, lun, report, |_, stretch| {
            let kept = usize::from(stretch.sides[0].stale);
            stretch.sync = Sync::Resync { percent: 0 };
            stretch.copy = None;
            stretch.sides[kept].serves = true;
            stretch.sides[1 - kept].serves = false;
        });
        // After a split brain, the volume is with the array whose data is kept.
        if let Some(stretch) = self.stretch(lun)
            && let Some(kept) = stretch.sides.iter().position(|side| side.serves)
        {
            let lead = stretch.sides[kept].lead;
            self.hand_over(now, lun, kept, lead, report);
        }
        if copying.is_zero() {
            return self.agree(now, lun, report);
        }
        for percent in COPIED {
            let after = copying.mul_f64(f64::from(percent) / 100.0);
            self.plan(now + after, Event::Copied(lun, percent), report);
        }
    }

    /// So much has been copied.
    pub(super) fn copied(&mut self, now: Time, lun: Lun, percent: u8, report: &mut Report) {
        if percent == 100 {
            return self.agree(now, lun, report);
        }
        if let Some(stretch) = self.stretch_mut(lun) {
            stretch.sync = Sync::Resync { percent };
            self.tell_replication(now, lun, report);
        }
    }

    /// Both arrays have the same data, and serve the LUN.
    fn agree(&mut self, now: Time, lun: Lun, report: &mut Report) {
        self.change_stretch(now, lun, report, |_, stretch| {
            stretch.sync = Sync::Synced;
            stretch.copy = None;
            for side in &mut stretch.sides {
                (side.serves, side.stale) = (true, false);
            }
        });
        let Some(preferred) = self.units.get(&lun).map(|unit| unit.preferred) else { return };
        if let Some(after) = self.frame_of(preferred).ownership.failback {
            self.plan(now + after, Event::Failback(preferred), report);
        }
    }

    /// Makes the array of a controller serve a LUN that it does not serve, with the data that it has.
    pub(super) fn force(
        &mut self,
        now: Time,
        lun: Lun,
        controller: ControllerId,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let Some(stretch) = self.stretch(lun) else { return Ok(()) };
        let own = stretch.side_of(controller);
        let side = stretch.sides[own];
        if side.serves {
            return Ok(());
        }
        let has_copy = stretch.copy.as_ref().is_some_and(|(of, _)| *of == own);
        if stretch.connected() || side.stale && !has_copy {
            return Err(ActionError::NoCopy { lun, controller });
        }
        let other = stretch.sides[1 - own];
        let split = other.serves && self.is_alive(other.controllers);
        self.forget_replication(lun);
        let witnessed = self.witness;
        self.change_stretch(now, lun, report, |unit, stretch| {
            stretch.sync = Sync::Apart { witnessed };
            stretch.sides[own].serves = true;
            stretch.sides[own].lead = controller;
            stretch.sides[1 - own].serves = split;
            if split {
                return;
            }
            // From now on its data is the volume's, and the other array has fallen behind.
            (stretch.sides[own].stale, stretch.sides[1 - own].stale) = (false, true);
            match &mut stretch.copy {
                Some((of, copy)) => {
                    std::mem::swap(&mut unit.store, copy);
                    *of = 1 - own;
                }
                None => {
                    let _ = stretch.set_apart(1 - own, &unit.store);
                }
            }
        });
        if !split {
            self.hand_over(now, lun, own, controller, report);
        }
        Ok(())
    }

    /// The side with this index takes over the ownership of a LUN.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        lun: Lun,
        side: usize,
        to: ControllerId,
        report: &mut Report,
    ) {
        let Some(unit) = self.units.get_mut(&lun) else { return };
        let Some(stretch) = &unit.stretch else { return };
        if stretch.side_of(unit.owner) != side {
            unit.moving = None;
            let from = std::mem::replace(&mut unit.owner, to);
            report.change(now, Changed::Owner { lun, from, to, by: None });
        }
    }

    /// Changes a stretched LUN, and tells hosts and the observer of it.
    fn change_stretch(
        &mut self,
        now: Time,
        lun: Lun,
        report: &mut Report,
        change: impl FnOnce(&mut Unit, &mut Stretch),
    ) {
        let before = self.group_states(lun);
        let news = self.family_owning(lun).owner_changed();
        let Some(unit) = self.units.get_mut(&lun) else { return };
        let Some(mut stretch) = unit.stretch.take() else { return };
        change(unit, &mut stretch);
        unit.stretch = Some(stretch);
        self.note_altered(lun, &before, None);
        if let Some(sense) = news.filter(|_| self.group_states(lun) != before) {
            self.push_attention(Some(lun), sense, |_| true);
        }
        self.tell_replication(now, lun, report);
    }

    fn tell_replication(&self, now: Time, lun: Lun, report: &mut Report) {
        if let Some(stretch) = self.stretch(lun) {
            let (is, serving) = (stretch.replication(), stretch.serving());
            self.lun_changed(now, lun, LunChange::Replication { is, serving }, report);
        }
    }

    fn set_lead(&mut self, lun: Lun, side: usize, lead: ControllerId) {
        if let Some(stretch) = self.stretch_mut(lun) {
            stretch.sides[side].lead = lead;
        }
    }

    /// The controller that owns a LUN while its array serves it alone: another one if that is not online.
    fn lead_of(&self, side: &Side) -> ControllerId {
        let mut online = side.controllers.iter().filter(|it| self.is_online(*it));
        match self.is_online(side.lead) {
            true => side.lead,
            false => online.next().unwrap_or(side.lead),
        }
    }

    fn reach_each_other(&self, stretch: &Stretch) -> bool {
        let there =
            |side: &Side| self.is_alive(side.controllers) && !self.is_isolated(side.controllers);
        stretch.link != ReplicationLink::Down && stretch.sides.iter().all(there)
    }

    /// Whether a controller of the array answers.
    fn is_alive(&self, array: Controllers) -> bool {
        array.iter().any(|it| self.controllers[it.index()].state.answers())
    }

    fn is_isolated(&self, array: Controllers) -> bool {
        self.isolated.iter().any(|it| self.frames[usize::from(it.0)].controllers == array)
    }

    pub(super) fn isolated_arrays(&self) -> impl Iterator<Item = &str> {
        self.isolated.iter().map(|it| self.frames[usize::from(it.0)].identity.name.as_str())
    }

    pub(super) fn frame_named(&self, name: &Arc<str>) -> Result<FrameId, ActionError> {
        let found = self.frames.iter().position(|frame| *frame.identity.name == **name);
        let unknown = || ActionError::NoArray(name.clone());
        found.map(|at| FrameId(at as u8)).ok_or_else(unknown)
    }

    fn stretched(&self) -> Vec<Lun> {
        self.units.values().filter(|unit| unit.stretch.is_some()).map(|unit| unit.lun).collect()
    }

    fn stretch(&self, lun: Lun) -> Option<&Stretch> {
        self.units.get(&lun)?.stretch.as_ref()
    }

    fn stretch_mut(&mut self, lun: Lun) -> Option<&mut Stretch> {
        self.units.get_mut(&lun)?.stretch.as_mut()
    }
}
