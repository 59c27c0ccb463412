//! Reservations: how one nexus restricts the access of other nexuses to a LUN.
//!
//! There are two kinds, which exclude each other. RESERVE and RELEASE of SPC-2 (5.5) last until the
//! next reset. Persistent reservations (SPC-4 5.13) belong to a registered key. They survive
//! resets, failovers and, if requested, power loss. Both kinds belong to the LUN. It makes no
//! difference which controller owns the LUN, or through which controller a command arrives.
//!
//! | Subject | Module |
//! |---|---|
//! | the types of persistent reservations | `types` |
//! | the registrations and the reservation holder | `persistent` |
//! | the effect of PERSISTENT RESERVE OUT | `change` |
//! | the parameter lists of PERSISTENT RESERVE OUT | `request` |
//! | the parameter data of PERSISTENT RESERVE IN | `report` |
//! | which operations conflict with a reservation | `conflict` |
//! | TransportIDs | `transport_id` |
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

#[derive(Debug, Clone, Default)]
pub(crate) struct Reservations {
    /// The holder of a reservation by RESERVE (SPC-2).
    reserved: Option<Nexus>,
    persistent: Persistent,
}

/// A change that a command requests.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Reserve,
    Release,
    Persistent(Request),
}

impl Reservations {
    /// Whether a reservation of another nexus forbids an operation. Always false for the
    /// reservation commands, which check for conflicts themselves.
    pub(crate) fn forbid(&self, nexus: Nexus, kind: Kind, cdb: &[u8]) -> bool {
        let row = || conflict::row(kind, cdb);
        match self.reserved {
            Some(holder) => holder != nexus && !row().reserved,
            None => self.persistent.held_against(nexus).is_some_and(|access| !row().allows(access)),
        }
    }

    /// Whether another nexus's reservation forbids this nexus to change the LUN. A trespass that
    /// honors reservations checks this (emc:send_trespass_cmd).
    pub(crate) fn forbid_changes(&self, nexus: Nexus) -> bool {
        self.forbid(nexus, Kind::ModeSelect, &[])
    }

    /// Carries out a reservation command.
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

    /// While the LUN is reserved by RESERVE, PERSISTENT RESERVE IN and OUT end with RESERVATION
    /// CONFLICT (SPC-2 5.5.1).
    pub(crate) fn persistent_answers(&self) -> Result<&Persistent, Stop> {
        if self.reserved.is_some() { Err(Stop::Conflict) } else { Ok(&self.persistent) }
    }

    /// A LOGICAL UNIT RESET ends a reservation by RESERVE.
    pub(crate) fn reset(&mut self) {
        self.reserved = None;
    }

    /// An I_T nexus loss ends the reservations by RESERVE of the nexuses that `lost` selects.
    pub(crate) fn lose_nexus(&mut self, lost: impl Fn(Nexus) -> bool) {
        self.reserved = self.reserved.filter(|holder| !lost(*holder));
    }

    /// The whole array loses power.
    pub(crate) fn lose_power(&mut self) {
        self.reserved = None;
        self.persistent.lose_power();
    }
}
