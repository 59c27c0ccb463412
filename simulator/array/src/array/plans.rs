//! Planning events and carrying them out when they are due.

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::ids::{ControllerId, Lun};

impl State {
    /// Plans an event. Rings every HBA, so that one of them asks again when the event is due.
    pub(super) fn plan(&mut self, due: Time, event: Event, report: &mut Report) {
        self.agenda.add(due, event);
        for hba in &self.hbas {
            if !report.ring.contains(hba) {
                report.ring.push(*hba);
            }
        }
    }

    /// Cancels the planned states of a controller.
    pub(super) fn forget_plans(&mut self, controller: ControllerId) {
        self.agenda.forget(|event| matches!(event, Event::Controller(it, _) if *it == controller));
    }

    /// Cancels the planned takeover and failback of a controller.
    pub(super) fn forget_moves(&mut self, controller: ControllerId) {
        self.agenda.forget(
            |event| matches!(event, Event::Takeover(it) | Event::Failback(it) if *it == controller),
        );
    }

    /// Cancels what is planned about the replication of a LUN.
    pub(super) fn forget_replication(&mut self, lun: Lun) {
        self.agenda.forget(
            |event| matches!(event, Event::Arbitration(it) | Event::Copied(it, _) if *it == lun),
        );
    }

    /// Carries out every event that is due by `now`, each at the time for which it was planned.
    pub(super) fn catch_up(&mut self, now: Time, report: &mut Report) {
        while let Some((at, event)) = self.agenda.take_due(now) {
            match event {
                Event::Controller(controller, to) => self.change_state(at, controller, to, report),
                Event::Link(link, up) => self.change_link(at, link, up, report),
                Event::Arrival(lun, to) => self.arrive_at(at, lun, to, report),
                Event::Takeover(from) => self.take_over(at, from, report),
                Event::Failback(to) => self.fail_back(at, to, report),
                Event::PingPong(frame) => self.ping_pong(at, frame, report),
                Event::Arbitration(lun) => self.arbitrate(at, lun, report),
                Event::Copied(lun, percent) => self.copied(at, lun, percent, report),
            }
        }
    }
}
