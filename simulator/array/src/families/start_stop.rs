//! The common behavior of the families whose LUNs are moved by START STOP UNIT: active/passive
//! arrays with two controllers.
//!
//! Every LUN is visible through both controllers. The controller that does not own a LUN answers
//! INQUIRY, VPD pages, READ CAPACITY and the mode pages, but refuses TEST UNIT READY, reads and
//! writes.

#[cfg(test)]
pub(super) mod tests;

use crate::{
    controller::ControllerState,
    operation::{Class, Kind, Operation},
    personality::{Gate, Site},
    sense::Sense,
};

/// The highest LUN that REPORT LUNS of these arrays can report: peripheral device addressing (SAM-5
/// 4.7.7.2).
pub(super) const MAX_LUN: u16 = 255;

/// The controllers are switching over; the host should retry. This is the answer to every START
/// STOP UNIT from the one that starts the switch-over until its end.
pub(super) const SWITCHING_OVER: Sense = Sense::NOT_READY_MANUAL;

/// The senses of a controller that does not serve a LUN, by reason.
pub(super) struct Refusals {
    /// Another controller owns the LUN.
    pub(super) passive: Sense,
    /// The controller is booting.
    pub(super) booting: Sense,
    /// The controller is quiescing.
    pub(super) quiescing: Sense,
    /// The firmware of the controller is being upgraded.
    pub(super) upgrading: Sense,
}

impl Refusals {
    /// See [`crate::personality::Personality::not_ready`]. Parameter commands are served in every
    /// state.
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

/// Whether a START STOP UNIT (SBC-3 5.25) moves the addressed LUN to the controller that receives
/// it. START does, unless the controller owns the LUN already; IMMED makes no difference. STOP does
/// not.
pub(super) fn activates(site: &Site<'_>, cdb: &[u8]) -> Result<bool, Sense> {
    let (power_condition, eject, start) = (cdb[4] & 0xf0, cdb[4] & 0x02, cdb[4] & 0x01 != 0);
    if power_condition | eject != 0 {
        return Err(Sense::cdb_field(4));
    }
    Ok(start && !site.owned())
}
