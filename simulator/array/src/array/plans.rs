//! What the array does by itself, at its time.

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::ids::ControllerId;

impl State {
    /// Has something happen at a time to come. Every HBA is rung, so that somebody asks then.
    pub(super) fn plan(&mut self, due: Time, event: Event, report: &mut Report) {
        self.agenda.add(due, event);
        for hba in &self.hbas {
            if !report.ring.contains(hba) {
                report.ring.push(*hba);
            }
        }
    }

    /// Gives up what was planned for a controller.
    pub(super) fn forget_plans(&mut self, controller: ControllerId) {
        self.agenda.forget(|event| matches!(event, Event::Controller(it, _) if *it == controller));
    }

    /// Gives up the moves of LUNs that a controller's state was going to bring about.
    pub(super) fn forget_moves(&mut self, controller: ControllerId) {
        self.agenda.forget(
            |event| matches!(event, Event::Takeover(it) | Event::Failback(it) if *it == controller),
        );
    }

    /// Everything that should have happened by now, each at its time.
    pub(super) fn catch_up(&mut self, now: Time, report: &mut Report) {
        while let Some((at, event)) = self.agenda.take_due(now) {
            match event {
                Event::Controller(controller, to) => self.change_state(at, controller, to, report),
                Event::Link(link, up) => self.change_link(at, link, up, report),
                Event::Arrival(lun, to) => self.arrive_at(at, lun, to, report),
                Event::Takeover(from) => self.take_over(at, from, report),
                Event::Failback(to) => self.fail_back(at, to, report),
                Event::PingPong => self.ping_pong(at, report),
            }
        }
    }
}
