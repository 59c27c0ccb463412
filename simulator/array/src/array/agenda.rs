//! Planned events: what the array will do on its own, and when.

use std::collections::BTreeMap;

use sansim_time::Time;

use crate::{
    controller::ControllerState,
    ids::{ControllerId, FrameId, Link, Lun},
};

/// Something that the array does without a command or a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The controller enters this state.
    Controller(ControllerId, ControllerState),
    /// The link goes down (`false`) or comes back up (`true`).
    Link(Link, bool),
    /// The transition of the LUN to this controller is complete.
    Arrival(Lun, ControllerId),
    /// The controller has been away for the takeover time: other controllers take over its LUNs.
    Takeover(ControllerId),
    /// The controller has been online for the failback time: its preferred LUNs return to it.
    Failback(ControllerId),
    /// Every LUN of the array moves to the next controller.
    PingPong(FrameId),
    /// It is decided which array goes on with a LUN whose replication was lost.
    Arbitration(Lun),
    /// So much of what an array lacks of a LUN has been copied, in percent.
    Copied(Lun, u8),
}

/// The planned events, ordered by time. Events with the same time keep the order in which they were
/// planned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    events: BTreeMap<(Time, u64), Event>,
    planned: u64,
}

impl Agenda {
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.events.first_key_value().map(|((due, _), _)| *due)
    }

    pub(super) fn add(&mut self, due: Time, event: Event) {
        self.planned += 1;
        self.events.insert((due, self.planned), event);
    }

    /// Removes and returns the first event, with the time for which it was planned, if it is due by
    /// `now`.
    pub(super) fn take_due(&mut self, now: Time) -> Option<(Time, Event)> {
        self.next_due().filter(|due| *due <= now)?;
        self.events.pop_first().map(|((due, _), event)| (due, event))
    }

    /// Cancels the events that `which` selects.
    pub(super) fn forget(&mut self, which: impl Fn(&Event) -> bool) {
        self.events.retain(|_, event| !which(event));
    }
}
