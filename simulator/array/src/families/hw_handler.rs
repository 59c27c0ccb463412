//! An array that no kernel recognizes, for custom hardware handlers: active/passive. START STOP
//! UNIT moves only the LUN that it is addressed to.
//!
//! Its vendor and product are in no device handler's list (scsi_dh:scsi_dh_blist), and it has no
//! target port groups, so no device handler attaches automatically. A passive path answers
//! 02/04/0B, standby. (02/04/02, initializing command required, would make the guest's disk driver
//! send START itself when it finds the disk: sd:sd_spinup_disk.)

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::start_stop::{self, Refusals, SWITCHING_OVER};
use crate::{
    identity::Identity,
    operation::Operation,
    personality::{Effect, Gate, Personality, Site},
    sense::Sense,
};

/// The sense of a passive path is: not ready, target port in standby state. Each state of a
/// controller has a different sense, so that a handler can distinguish them: for example, "retry
/// later" from "not before a power cycle", which calls for another path.
const REFUSALS: Refusals = Refusals {
    passive: Sense::new(0x02, 0x04, 0x0b),
    booting: Sense::BECOMING_READY,
    quiescing: SWITCHING_OVER,
    upgrading: Sense::new(0x02, 0x04, 0x22),
};

/// The traits in which these arrays differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HwHandlerConfig {
    /// How long a switch-over takes. During that time, every START STOP UNIT to the LUN, including
    /// the one that starts the switch-over, is answered 02/04/03. Zero: the LUN moves at once.
    pub switch_over: Duration,
}

impl Personality for HwHandlerConfig {
    fn name(&self) -> &'static str {
        "hw_handler"
    }

    /// The handler that sansim includes, for the hardware handler interface of 2007.
    fn handler(&self) -> &'static str {
        "sansim"
    }

    fn identity(&self) -> Identity {
        Identity::new("SANSIM", "HW_HANDLER", "0001")
    }

    fn max_lun(&self) -> u16 {
        start_stop::MAX_LUN
    }

    /// A locally administered OUI, because no vendor makes this array.
    fn maker(&self) -> [u8; 3] {
        [0x02, 0x00, 0x00]
    }

    fn transition(&self) -> Duration {
        self.switch_over
    }

    fn on_its_way(&self) -> Option<Sense> {
        Some(SWITCHING_OVER)
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        REFUSALS.not_ready(site, op)
    }

    fn medium_access(&self, site: &Site<'_>) -> Gate {
        REFUSALS.medium_access(site)
    }

    fn start_stop(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Effect, Sense> {
        let activates = start_stop::activates(site, cdb)?;
        Ok(match site.unit() {
            Some(unit) if activates => Effect::Take(vec![unit.lun]),
            _ => Effect::None,
        })
    }
}
