//! An array that no kernel knows, for hardware handlers of one's own: active/passive, told with START
//! STOP UNIT, which moves the one LUN that it is addressed to.
//!
//! Its vendor and product are in no device handler's list (scsi_dh:scsi_dh_blist) and it has no
//! target port groups, so nothing attaches to it by itself. A passive path answers 02/04/0B, standby.
//! (02/04/02, initializing command required, would make the guest's disk driver send START itself when
//! it finds the disk: sd:sd_spinup_disk.)

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

/// A passive path: not ready, target port in standby state. A sense of its own for each state of a
/// controller, so that a handler can tell them apart: not now, and not before a power cycle, for which
/// other paths are a better choice.
const REFUSALS: Refusals = Refusals {
    passive: Sense::new(0x02, 0x04, 0x0b),
    booting: Sense::BECOMING_READY,
    quiescing: SWITCHING_OVER,
    upgrading: Sense::new(0x02, 0x04, 0x22),
};

/// The traits in which these arrays differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HwHandlerConfig {
    /// How long a switch-over takes. The START STOP UNIT that begins it, and every other to that LUN
    /// until it is over, is answered 02/04/03. Zero: the LUN moves at once.
    pub switch_over: Duration,
}

impl Personality for HwHandlerConfig {
    fn name(&self) -> &'static str {
        "hw_handler"
    }

    /// The one that sansim brings along, for the interface of 2007.
    fn handler(&self) -> &'static str {
        "sansim"
    }

    fn identity(&self) -> Identity {
        Identity::new("SANSIM", "HW_HANDLER", "0001")
    }

    fn max_lun(&self) -> u16 {
        start_stop::MAX_LUN
    }

    /// Nobody's: a locally administered one.
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
        Ok(if activates { Effect::Take(vec![site.lun]) } else { Effect::None })
    }
}
