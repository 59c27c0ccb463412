//! RESERVE and RELEASE (SPC-2 7.16, 7.17, 7.21, 7.22), and their interaction with persistent
//! reservations (SPC-4 5.13.3).

use super::{Change, Reservations};
use crate::{completion::Stop, ids::Nexus, operation::Kind, sense::Sense};

/// Reads the CDB. Only reservations of whole LUNs are supported, and no third-party reservations.
pub(crate) fn request(kind: Kind, cdb: &[u8]) -> Result<Change, Stop> {
    if cdb[1] & 0x1f != 0 {
        return Err(Sense::cdb_field(1).into());
    }
    Ok(if kind == Kind::Reserve { Change::Reserve } else { Change::Release })
}

impl Reservations {
    pub(super) fn reserve(&mut self, nexus: Nexus) -> Result<(), Stop> {
        if self.is_moot(nexus)? {
            return Ok(());
        }
        if self.reserved.is_some_and(|holder| holder != nexus) {
            return Err(Stop::Conflict);
        }
        self.reserved = Some(nexus);
        Ok(())
    }

    /// It is not an error if the nexus has not reserved the LUN.
    pub(super) fn release(&mut self, nexus: Nexus) -> Result<(), Stop> {
        if !self.is_moot(nexus)? {
            self.reserved = self.reserved.filter(|holder| *holder != nexus);
        }
        Ok(())
    }

    /// Whether RESERVE and RELEASE succeed without effect, because the nexus is a holder or a
    /// registrant of a persistent reservation that permits it access: compatible reservation
    /// handling (CRH). Otherwise, if any nexus is registered, they end with RESERVATION CONFLICT.
    fn is_moot(&self, nexus: Nexus) -> Result<bool, Stop> {
        let persistent = &self.persistent;
        if persistent.held.is_some() && persistent.held_against(nexus).is_none() {
            return Ok(true);
        }
        if persistent.keys.is_empty() { Ok(false) } else { Err(Stop::Conflict) }
    }
}
