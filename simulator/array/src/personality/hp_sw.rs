//! HP and Compaq active/passive arrays (`scsi_dh_hp_sw`): the MSA1000, EVA and HSG families, of which
//! START STOP UNIT moves LUNs.
//!
//! Every LUN is visible through both controllers. The one that does not own it answers INQUIRY, the
//! VPD pages, READ CAPACITY and the mode pages; to TEST UNIT READY and to reads and writes it answers
//! 02/04/02, which is what the handler takes for "passive" (hp_sw:tur_done). There are no vendor
//! pages.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Effect, Gate, Personality, Site};
use crate::{
    config::ArrayConfig,
    controller::ControllerState,
    error::ConfigError,
    ids::Lun,
    operation::{Class, Kind, Operation},
    sense::Sense,
};

/// Not ready, initializing command required: a passive path.
const PASSIVE: Sense = Sense::new(0x02, 0x04, 0x02);
/// What START STOP UNIT is answered while the controllers switch over: the handler sends it three
/// times in all, and then has dm-multipath run pg_init again (hp_sw:hp_sw_start_stop).
const SWITCHING_OVER: Sense = Sense::NOT_READY_MANUAL;

/// The traits in which these arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HpSwConfig {
    /// How long a switch-over takes. The START STOP UNIT that begins it, and every other until it is
    /// over, is answered 02/04/03. Zero: the LUNs move at once.
    pub switch_over: Duration,
    /// Whether START STOP UNIT moves every LUN of the controller that has the addressed one, as these
    /// arrays do; otherwise it moves that one alone.
    pub whole_controller: bool,
}

impl Default for HpSwConfig {
    fn default() -> Self {
        HpSwConfig { switch_over: Duration::ZERO, whole_controller: true }
    }
}

/// The personality.
#[derive(Debug)]
pub(super) struct HpSw {
    config: HpSwConfig,
}

impl HpSw {
    pub(super) fn new(config: HpSwConfig) -> Self {
        HpSw { config }
    }

    /// The LUNs that move with the addressed one.
    fn together(&self, site: &Site<'_>) -> Vec<Lun> {
        let Some(addressed) = site.unit() else { return Vec::new() };
        let (whole, owner) = (self.config.whole_controller, site.owner_of(addressed));
        let along = site.units.values().filter(|unit| whole && site.owner_of(unit) == owner);
        let mut luns: Vec<Lun> = along.map(|unit| unit.lun).collect();
        if !whole {
            luns.push(addressed.lun);
        }
        luns
    }
}

impl Personality for HpSw {
    fn name(&self) -> &'static str {
        "hp_sw"
    }

    fn check(&self, config: &ArrayConfig) -> Result<(), ConfigError> {
        super::one_or_two_controllers(self.name(), config)
    }

    /// What REPORT LUNS of these arrays can tell.
    fn max_lun(&self) -> u16 {
        255
    }

    /// Compaq's.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0x08, 0x05]
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
            ControllerState::Booting | ControllerState::Quiescing => Some(Sense::BECOMING_READY),
            ControllerState::Upgrading => Some(SWITCHING_OVER),
            _ if op.kind == Kind::TestUnitReady && !site.owned() => Some(PASSIVE),
            _ => None,
        }
    }

    fn medium_access(&self, site: &Site<'_>) -> Gate {
        if site.owned() { Gate::Open } else { Gate::Shut(PASSIVE) }
    }

    /// START makes the controller that gets it active, whatever IMMED says; STOP lets it as it is.
    fn start_stop(&self, site: &Site<'_>, cdb: &[u8]) -> Result<Effect, Sense> {
        let (power_condition, eject, start) = (cdb[4] & 0xf0, cdb[4] & 0x02, cdb[4] & 0x01 != 0);
        if power_condition | eject != 0 {
            return Err(Sense::cdb_field(4));
        }
        if !start || site.owned() {
            return Ok(Effect::None);
        }
        Ok(Effect::Take(self.together(site)))
    }
}
