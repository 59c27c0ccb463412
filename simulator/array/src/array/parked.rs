//! Parked commands: those that the array keeps back until they are due, released or ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sansim_time::Time;

use super::{arrival::Arrival, report::Report};
use crate::{
    completion::{Completion, Ticket},
    fault::Answer,
    ids::{HbaId, PortId},
    observe::Changed,
};

/// What remains to be done when a parked command resumes.
#[derive(Debug, Clone)]
pub(crate) enum Rest {
    /// Carry out the command.
    CarryOut,
    /// Complete the command with this answer.
    Answer(Answer),
    /// Complete the command like this. Its outcome is already decided.
    End(Completion),
}

/// A command that the array keeps back.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) arrival: Arrival,
    pub(crate) rest: Rest,
    /// The earliest time at which the command may resume. `None` if it waits only for a release or
    /// for task management, or if it may resume now.
    pub(crate) due: Option<Time>,
    /// What holds the command; `None` if it is not held, or was released.
    pub(crate) hold: Option<Hold>,
}

/// What holds a command until something else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// An [`crate::Action::Release`] of this name.
    Named(Arc<str>),
    /// The command is lost without a timeout: only task management or a reset ends it.
    Lost,
}

impl Parked {
    /// Reports that a fault rule has parked the command.
    pub(super) fn tell(&self, report: &mut Report) {
        let Arrival { at, nexus, lun, op, .. } = self.arrival;
        if let Some(rule) = self.arrival.fault.clone() {
            let hold = match &self.hold {
                Some(Hold::Named(name)) => Some(name.clone()),
                Some(Hold::Lost) | None => None,
            };
            report.change(at, Changed::Parked { rule, hold, nexus, lun, op });
        }
    }

    /// When the command resumes on its own. `None` while it is held.
    pub(super) fn goes_on_at(&self) -> Option<Time> {
        self.due.filter(|_| self.hold.is_none())
    }

    fn ready(&self, now: Time) -> bool {
        self.hold.is_none() && self.due.is_none_or(|due| due <= now)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Parking {
    commands: BTreeMap<Ticket, Parked>,
    /// The parked commands that will be due, ordered by time. No resume notice has been queued for
    /// them yet.
    due: BTreeSet<(Time, Ticket)>,
    last: u64,
}

impl Parking {
    /// The maximum number of parked commands. The virtqueues of the HBAs impose a lower limit
    /// already; this one protects against an HBA without such a limit.
    pub(crate) const MAX: usize = 1 << 16;

    pub(crate) fn is_full(&self) -> bool {
        self.commands.len() >= Self::MAX
    }

    /// The number of parked commands that arrived at a port.
    pub(super) fn at(&self, port: PortId) -> usize {
        self.commands.values().filter(|parked| parked.arrival.nexus.port == port).count()
    }

    pub(crate) fn park(&mut self, parked: Parked) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.due.extend(parked.goes_on_at().map(|due| (due, ticket)));
        self.commands.insert(ticket, parked);
        ticket
    }

    /// The number of commands that are held under each name.
    pub(super) fn held(&self) -> BTreeMap<Arc<str>, usize> {
        let mut held = BTreeMap::new();
        for parked in self.commands.values() {
            if let Some(Hold::Named(name)) = &parked.hold {
                *held.entry(Arc::clone(name)).or_default() += 1;
            }
        }
        held
    }

    /// Removes a command that is ready to resume.
    pub(crate) fn take(&mut self, now: Time, ticket: Ticket) -> Taken {
        match self.commands.get(&ticket) {
            None => Taken::Unknown,
            Some(parked) if !parked.ready(now) => Taken::TooEarly(parked.goes_on_at()),
            Some(_) => self.remove(ticket).map_or(Taken::Unknown, Taken::Ready),
        }
    }

    /// Removes a command, whether or not it is ready.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.commands.remove(&ticket)?;
        if let Some(due) = parked.due {
            self.due.remove(&(due, ticket));
        }
        Some(parked)
    }

    /// Releases the commands that are held under a name, and returns them. A command that is also
    /// delayed keeps waiting: its HBA gets a resume notice all the same, and learns the remaining
    /// time when it calls [`crate::Array::resume`].
    pub(crate) fn release(&mut self, now: Time, hold: &str) -> Vec<(HbaId, Ticket)> {
        let mut released = Vec::new();
        for (ticket, parked) in &mut self.commands {
            if matches!(&parked.hold, Some(Hold::Named(name)) if **name == *hold) {
                parked.hold = None;
                self.due.extend(parked.due.filter(|due| *due > now).map(|due| (due, *ticket)));
                released.push((parked.arrival.nexus.hba, *ticket));
            }
        }
        released
    }

    /// Decides the outcome of the commands that `which` selects, and returns them. They stay parked
    /// until their HBA resumes or removes them.
    pub(crate) fn end(
        &mut self,
        which: impl Fn(&Arrival) -> bool,
        with: impl Fn(&Arrival) -> Completion,
    ) -> Vec<(HbaId, Ticket)> {
        let mut ended = Vec::new();
        for (ticket, parked) in &mut self.commands {
            if matches!(parked.rest, Rest::End(_)) && parked.due.is_none()
                || !which(&parked.arrival)
            {
                continue;
            }
            if let Some(due) = parked.due.take() {
                self.due.remove(&(due, *ticket));
            }
            parked.hold = None;
            parked.rest = Rest::End(with(&parked.arrival));
            ended.push((parked.arrival.nexus.hba, *ticket));
        }
        ended
    }

    /// Whether a parked command matches `which`.
    pub(crate) fn any(&self, which: impl Fn(&Arrival) -> bool) -> bool {
        self.commands.values().any(|parked| which(&parked.arrival))
    }

    /// Takes the commands that are due by `now`; their resume notices have not been queued yet.
    pub(crate) fn take_due(&mut self, now: Time) -> Vec<(HbaId, Ticket)> {
        let mut taken = Vec::new();
        while let Some((due, ticket)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, ticket));
            taken.extend(self.commands.get(&ticket).map(|it| (it.arrival.nexus.hba, ticket)));
        }
        taken
    }

    /// When the next command is due whose resume notice has not been queued yet.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }
}

/// The result of [`Parking::take`].
#[derive(Debug)]
pub(crate) enum Taken {
    /// The command may resume.
    Ready(Parked),
    /// The command must wait: until this time, or for its release if there is no time.
    TooEarly(Option<Time>),
    /// No command with this ticket is parked.
    Unknown,
}
