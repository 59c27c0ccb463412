//! What families have in common of which START STOP UNIT moves LUNs: active/passive arrays with two
//! controllers.
//!
//! Every LUN is visible through both controllers. The one that does not own it answers INQUIRY, the
//! VPD pages, READ CAPACITY and the mode pages; TEST UNIT READY, reads and writes it refuses.

#[cfg(test)]
pub(super) mod tests;

use crate::{
    controller::ControllerState,
    operation::{Class, Kind, Operation},
    personality::{Gate, Site},
    sense::Sense,
};

/// What REPORT LUNS of these arrays can tell: peripheral device addressing (SAM-5 4.7.7.2).
pub(super) const MAX_LUN: u16 = 255;

/// Not now: the controllers switch over. The START STOP UNIT that begins it, and every other until it
/// is over, is answered so.
pub(super) const SWITCHING_OVER: Sense = Sense::NOT_READY_MANUAL;

/// What a controller answers that does not serve a LUN, for each reason not to.
pub(super) struct Refusals {
    /// Another controller owns the LUN.
    pub(super) passive: Sense,
    /// It is starting.
    pub(super) booting: Sense,
    /// It lets go of its LUNs.
    pub(super) quiescing: Sense,
    /// It gets new firmware.
    pub(super) upgrading: Sense,
}

impl Refusals {
    /// See [`crate::personality::Personality::not_ready`]. Who asks only for parameters is answered in
    /// any state.
    pub(super) fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let touches = op.class == Class::Medium
            || matches!(op.kind, Kind::TestUnitReady | Kind::StartStopUnit | Kind::ModeSelect);
        match site.own_state() {
            _ if !touches => None,
            ControllerState::Booting => Some(self.booting),
            ControllerState::Quiescing => Some(self.quiescing),
            ControllerState::Upgrading => Some(self.upgrading),
            _ if op.kind == Kind::TestUnitReady && !site.owned() => Some(self.passive),
            _ => None,
        }
    }

    /// See [`crate::personality::Personality::medium_access`].
    pub(super) fn medium_access(&self, site: &Site<'_>) -> Gate {
        if site.owned() { Gate::Open } else { Gate::Shut(self.passive) }
    }
}

/// Whether a START STOP UNIT (SBC-3 5.25) moves the addressed LUN to the controller that gets it:
/// START does unless the LUN is there already, whatever IMMED says, and STOP does not.
pub(super) fn activates(site: &Site<'_>, cdb: &[u8]) -> Result<bool, Sense> {
    let (power_condition, eject, start) = (cdb[4] & 0xf0, cdb[4] & 0x02, cdb[4] & 0x01 != 0);
    if power_condition | eject != 0 {
        return Err(Sense::cdb_field(4));
    }
    Ok(start && !site.owned())
}
