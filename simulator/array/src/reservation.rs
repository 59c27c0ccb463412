//! Reservations: what one nexus can keep the others from doing with a LUN.
//!
//! Two kinds that exclude each other: RESERVE and RELEASE of SPC-2 (5.5), forgotten at every reset,
//! and persistent reservations (SPC-4 5.13), which belong to a registered key and outlive resets,
//! failovers and, if asked to, the loss of power. Both are the LUN's, so it does not matter which
//! controller owns it or through which one a command comes.
//!
//! | Subject | Module |
//! |---|---|
//! | the types of a persistent reservation | `types` |
//! | who is registered, and who holds what | `persistent` |
//! | what PERSISTENT RESERVE OUT does to that | `change` |
//! | its parameter lists | `request` |
//! | what PERSISTENT RESERVE IN tells | `report` |
//! | which operation a reservation forbids | `conflict` |
//! | how an initiator is named | `transport_id` |
//! | RESERVE and RELEASE | `spc2` |

mod change;
mod conflict;
mod persistent;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod spc2;
#[cfg(test)]
mod tests;
mod transport_id;
mod types;

use self::{change::News, persistent::Persistent, request::Request};
use crate::{completion::Stop, ids::Nexus, operation::Kind};

/// The reservations of a LUN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reservations {
    /// Who has it by RESERVE.
    reserved: Option<Nexus>,
    persistent: Persistent,
}

/// What a command asks of them.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// RESERVE(6) or RESERVE(10).
    Reserve,
    /// RELEASE(6) or RELEASE(10).
    Release,
    /// PERSISTENT RESERVE OUT.
    Persistent(Request),
}

impl Reservations {
    /// Whether they keep a nexus from an operation. The commands that are about reservations are
    /// never kept back by this: they find out by themselves.
    pub(crate) fn forbid(&self, nexus: Nexus, kind: Kind, cdb: &[u8]) -> bool {
        let row = || conflict::row(kind, cdb);
        match self.reserved {
            Some(holder) => holder != nexus && !row().reserved,
            None => self.persistent.held_against(nexus).is_some_and(|access| !row().allows(access)),
        }
    }

    /// Whether another nexus's reservation forbids this one to change the LUN: what an array looks
    /// at that is told to honour reservations when it moves a LUN (emc:send_trespass_cmd).
    pub(crate) fn forbid_changes(&self, nexus: Nexus) -> bool {
        self.forbid(nexus, Kind::ModeSelect, &[])
    }

    /// Carries out a command that changes them.
    pub(crate) fn change(&mut self, nexus: Nexus, change: &Change) -> Result<News, Stop> {
        match change {
            Change::Reserve => self.reserve(nexus).map(|()| News::default()),
            Change::Release => self.release(nexus).map(|()| News::default()),
            Change::Persistent(request) => {
                self.persistent_answers()?;
                self.persistent.change(nexus, request)
            }
        }
    }

    /// While the LUN is reserved by RESERVE, nobody gets anywhere with PERSISTENT RESERVE IN and OUT
    /// (SPC-2 5.5.1).
    pub(crate) fn persistent_answers(&self) -> Result<&Persistent, Stop> {
        if self.reserved.is_some() { Err(Stop::Conflict) } else { Ok(&self.persistent) }
    }

    /// LOGICAL UNIT RESET.
    pub(crate) fn reset(&mut self) {
        self.reserved = None;
    }

    /// The nexuses that `lost` picks are gone.
    pub(crate) fn lose_nexus(&mut self, lost: impl Fn(Nexus) -> bool) {
        self.reserved = self.reserved.filter(|holder| !lost(*holder));
    }

    /// The whole array has lost its power.
    pub(crate) fn lose_power(&mut self) {
        self.reserved = None;
        self.persistent.lose_power();
    }
}
