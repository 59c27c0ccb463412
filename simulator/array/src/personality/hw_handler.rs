//! An array that no kernel knows, for hardware handlers of one's own: active/passive, told with START
//! STOP UNIT, which moves the one LUN that it is addressed to.
//!
//! Its vendor and product are in no device handler's list (scsi_dh:scsi_dh_blist) and it has no
//! target port groups, so nothing attaches to it by itself. The controller that does not own a LUN
//! answers INQUIRY, the VPD pages, READ CAPACITY and the mode pages; TEST UNIT READY, reads and
//! writes it answers 02/04/0B, standby. (02/04/02, initializing command required, would make the
//! guest's disk driver send START itself when it finds the disk: sd:sd_spinup_disk.)

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Effect, Gate, Personality, Site};
use crate::{
    config::ArrayConfig,
    controller::ControllerState,
    error::ConfigError,
    operation::{Class, Kind, Operation},
    sense::Sense,
};

/// Not ready, target port in standby state: a passive path.
const PASSIVE: Sense = Sense::new(0x02, 0x04, 0x0b);
/// Not now: the controllers switch over, or the one that was asked is busy with itself.
const SWITCHING_OVER: Sense = Sense::NOT_READY_MANUAL;
/// Not before it has been switched off and on: other paths are a better choice.
const POWER_CYCLE_REQUIRED: Sense = Sense::new(0x02, 0x04, 0x22);

/// The traits in which these arrays differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HwHandlerConfig {
    /// How long a switch-over takes. The START STOP UNIT that begins it, and every other to that LUN
    /// until it is over, is answered 02/04/03. Zero: the LUN moves at once.
    pub switch_over: Duration,
}

/// The personality.
#[derive(Debug)]
pub(super) struct HwHandler {
    config: HwHandlerConfig,
}

impl HwHandler {
    pub(super) fn new(config: HwHandlerConfig) -> Self {
        HwHandler { config }
    }
}

impl Personality for HwHandler {
    fn name(&self) -> &'static str {
        "hw_handler"
    }

    fn check(&self, config: &ArrayConfig) -> Result<(), ConfigError> {
        super::one_or_two_controllers(self.name(), config)
    }

    /// What REPORT LUNS can tell without extended addressing.
    fn max_lun(&self) -> u16 {
        255
    }

    /// Nobody's: a locally administered one.
    fn maker(&self) -> [u8; 3] {
        [0x02, 0x00, 0x00]
    }

    fn transition(&self) -> Duration {
        self.config.switch_over
    }

    fn on_its_way(&self) -> Option<Sense> {
        Some(SWITCHING_OVER)
    }

    fn not_ready(&self, site: &Site<'_>, op: &Operation) -> Option<Sense> {
        let touches = matches!(op.kind, Kind::TestUnitReady | Kind::StartStopUnit)
            || op.class == Class::Medium
            || op.kind == Kind::ModeSelect;
        match site.own_state() {
            _ if !touches => None,
            ControllerState::Booting => Some(Sense::BECOMING_READY),
            ControllerState::Quiescing => Some(SWITCHING_OVER),
            ControllerState::Upgrading => Some(POWER_CYCLE_REQUIRED),
            _ if op.kind == Kind::TestUnitReady && !site.owned() => Some(PASSIVE),
            _ => None,
        }
    }

    fn medium_access(&self, site: &Site<'_>) -> Gate {
        if site.owned() { Gate::Open } else { Gate::Shut(PASSIVE) }
    }

    /// START moves the LUN to the controller that gets it, whatever IMMED says; STOP lets it as it is.
    fn start_stop(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Effect, Sense> {
        let (power_condition, eject, start) = (cdb[4] & 0xf0, cdb[4] & 0x02, cdb[4] & 0x01 != 0);
        if power_condition | eject != 0 {
            return Err(Sense::cdb_field(4));
        }
        if !start || site.owned() {
            return Ok(Effect::None);
        }
        Ok(Effect::Take(vec![site.lun]))
    }
}
