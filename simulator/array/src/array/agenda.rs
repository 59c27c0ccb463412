//! What the array will do by itself, and when.

use std::collections::BTreeMap;

use sansim_time::Time;

use super::{
    link::Link,
    state::{Report, State},
};
use crate::{
    controller::ControllerState,
    ids::{ControllerId, Lun},
};

/// Something that happens without anybody's asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A controller comes to its next state.
    Controller(ControllerId, ControllerState),
    /// A link goes down or comes back.
    Link(Link, bool),
    /// A LUN that is on its way arrives.
    Arrival(Lun, ControllerId),
    /// A controller was away for long enough: its LUNs are taken over.
    Takeover(ControllerId),
    /// A controller was on line for long enough: it gets its LUNs back.
    Failback(ControllerId),
    /// Every LUN changes hands.
    PingPong,
}

/// The events to come, each at its time; those of the same time in the order in which they were
/// planned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    events: BTreeMap<(Time, u64), Event>,
    planned: u64,
}

impl Agenda {
    /// When the first event is due.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.events.first_key_value().map(|((due, _), _)| *due)
    }

    fn add(&mut self, due: Time, event: Event) {
        self.planned += 1;
        self.events.insert((due, self.planned), event);
    }

    fn take_due(&mut self, now: Time) -> Option<(Time, Event)> {
        self.next_due().filter(|due| *due <= now)?;
        self.events.pop_first().map(|((due, _), event)| (due, event))
    }
}

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
        self.agenda
            .events
            .retain(|_, event| !matches!(event, Event::Controller(it, _) if *it == controller));
    }

    /// Gives up the moves of LUNs that a controller's state was going to bring about.
    pub(super) fn forget_moves(&mut self, controller: ControllerId) {
        self.agenda.events.retain(|_, event| {
            !matches!(event, Event::Takeover(it) | Event::Failback(it) if *it == controller)
        });
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
