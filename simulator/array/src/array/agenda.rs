//! What the array will do by itself, and when.

use std::collections::BTreeMap;

use sansim_time::Time;

use crate::{
    controller::ControllerState,
    ids::{ControllerId, Link, Lun},
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

    /// Has an event happen at a time to come.
    pub(super) fn add(&mut self, due: Time, event: Event) {
        self.planned += 1;
        self.events.insert((due, self.planned), event);
    }

    /// Takes the first event if it is due by now, with its time.
    pub(super) fn take_due(&mut self, now: Time) -> Option<(Time, Event)> {
        self.next_due().filter(|due| *due <= now)?;
        self.events.pop_first().map(|((due, _), event)| (due, event))
    }

    /// Gives up the events that `which` picks.
    pub(super) fn forget(&mut self, which: impl Fn(&Event) -> bool) {
        self.events.retain(|_, event| !which(event));
    }
}
