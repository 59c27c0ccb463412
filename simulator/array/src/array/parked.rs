//! Commands that are held back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sansim_time::Time;

use super::{arrival::Arrival, report::Report};
use crate::{
    completion::{Completion, Ticket},
    fault::Answer,
    ids::HbaId,
    observe::Changed,
};

/// What is left to do with a parked command when it goes on.
#[derive(Debug, Clone)]
pub(crate) enum Rest {
    /// It is carried out.
    CarryOut,
    /// It is answered with this.
    Answer(Answer),
    /// It has ended, and only this is left to say.
    End(Completion),
}

/// A command that is held back.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) arrival: Arrival,
    pub(crate) rest: Rest,
    /// When it goes on at the latest.
    pub(crate) due: Option<Time>,
    /// What it is held by; none once that was released.
    pub(crate) hold: Option<Hold>,
}

/// What holds a command back until something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The release of this name.
    Named(Arc<str>),
    /// It is lost, and nothing but task management ends it.
    Lost,
}

impl Parked {
    /// Tells that a rule keeps it back.
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

    /// When it goes on without anybody being told. One that is held waits for its release first.
    pub(super) fn goes_on_at(&self) -> Option<Time> {
        self.due.filter(|_| self.hold.is_none())
    }

    /// Whether it may go on.
    fn ready(&self, now: Time) -> bool {
        self.hold.is_none() && self.due.is_none_or(|due| due <= now)
    }
}

/// All commands that are held back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parking {
    commands: BTreeMap<Ticket, Parked>,
    /// Those of which no HBA was told yet that they are due, by when they are.
    due: BTreeSet<(Time, Ticket)>,
    last: u64,
}

impl Parking {
    /// The most commands that are held back at a time. The rings of the HBAs bound it already; this
    /// is for an HBA that would not.
    pub(crate) const MAX: usize = 1 << 16;

    pub(crate) fn is_full(&self) -> bool {
        self.commands.len() >= Self::MAX
    }

    /// Holds a command back.
    pub(crate) fn park(&mut self, parked: Parked) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.due.extend(parked.goes_on_at().map(|due| (due, ticket)));
        self.commands.insert(ticket, parked);
        ticket
    }

    /// Takes a command that may go on.
    pub(crate) fn take(&mut self, now: Time, ticket: Ticket) -> Taken {
        match self.commands.get(&ticket) {
            None => Taken::Unknown,
            Some(parked) if !parked.ready(now) => Taken::TooEarly(parked.goes_on_at()),
            Some(_) => self.remove(ticket).map_or(Taken::Unknown, Taken::Ready),
        }
    }

    /// Takes a command, ready or not.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Parked> {
        let parked = self.commands.remove(&ticket)?;
        if let Some(due) = parked.due {
            self.due.remove(&(due, ticket));
        }
        Some(parked)
    }

    /// Lets the commands held under a name go on. One that is delayed too has to wait for that: its
    /// HBA is told all the same, and learns the time when it asks. Tells which.
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

    /// Ends the commands that `which` picks: all that is left for each is to say so. Tells which.
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

    /// Whether a command is here that `which` picks.
    pub(crate) fn any(&self, which: impl Fn(&Arrival) -> bool) -> bool {
        self.commands.values().any(|parked| which(&parked.arrival))
    }

    /// Takes the tickets of the commands that are due by now, of which no HBA was told yet.
    pub(crate) fn take_due(&mut self, now: Time) -> Vec<(HbaId, Ticket)> {
        let mut taken = Vec::new();
        while let Some((due, ticket)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, ticket));
            taken.extend(self.commands.get(&ticket).map(|it| (it.arrival.nexus.hba, ticket)));
        }
        taken
    }

    /// When the next command is due of which no HBA was told yet.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }
}

/// What comes of asking for a parked command.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It goes on.
    Ready(Parked),
    /// It is to wait on, at the latest till then.
    TooEarly(Option<Time>),
    /// There is no such command.
    Unknown,
}
