//! Reservations: how commands change them, and how they are affected by controller failures.

use super::{arrival::Arrival, report::Report, state::State, task::abort};
use crate::{completion::Stop, ids::ControllerId, reservation::Change, sense::Sense};

impl State {
    /// Changes the reservations of a LUN, aborts the commands of preempted nexuses and queues unit
    /// attentions for the other nexuses.
    pub(super) fn change_reservations(
        &mut self,
        arrival: &Arrival,
        change: &Change,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let nexus = arrival.nexus;
        let lun = arrival.unit.ok_or(Sense::LUN_NOT_SUPPORTED)?;
        let unit = self.units.get_mut(&lun).ok_or(Sense::LUN_NOT_SUPPORTED)?;
        let news = unit.reservations.change(nexus, change)?;
        if !news.aborted.is_empty() {
            let want_status =
                self.tell_of_abort(lun, |it| it != nexus && news.aborted.contains(&it));
            let which = |it: &Arrival| it.unit == Some(lun) && news.aborted.contains(&it.nexus);
            let ended = self.parking.end(which, |it| abort(it, &want_status));
            self.notify_resume(ended, report);
        }
        let Some(unit) = self.units.get_mut(&lun) else { return Ok(()) };
        for (nexus, sense) in news.told {
            unit.nexus(nexus).attentions.push(sense);
        }
        Ok(())
    }

    /// Updates the reservations after a controller changed its state. If the controller is off
    /// ([`crate::ControllerState::is_off`]), the nexuses through it are lost. If every controller
    /// that presents a LUN is off, the LUN has lost power.
    pub(super) fn forget_reservations(&mut self, controller: ControllerId) {
        let is_off = |index: usize| self.controllers.get(index).is_some_and(|it| it.state.is_off());
        if !is_off(controller.index()) {
            return;
        }
        for unit in self.units.values_mut() {
            let presenters = unit.mapping.presenters();
            let no_power = presenters
                .iter()
                .map(|it| it.index())
                .filter(|it| *it < self.controllers.len())
                .all(is_off);
            unit.reservations.lose_nexus(|nexus| nexus.port.controller == controller);
            if no_power {
                unit.reservations.lose_power();
            }
        }
    }
}
