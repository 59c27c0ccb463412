//! HP and Compaq active/passive arrays (`scsi_dh_hp_sw`): the MSA1000, EVA and HSG families. START
//! STOP UNIT moves their LUNs.
//!
//! A passive path answers 02/04/02, which the device handler recognizes (hp_sw:tur_done). There are
//! no vendor-specific pages.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::start_stop::{self, Refusals, SWITCHING_OVER};
use crate::{
    identity::Identity,
    ids::Lun,
    operation::Operation,
    personality::{Effect, Gate, Personality, Site},
    sense::Sense,
};

/// The sense of a passive path: not ready, initializing command required. During a switch-over, the
/// device handler sends START STOP UNIT up to three times, and then makes dm-multipath repeat
/// pg_init (hp_sw:hp_sw_start_stop).
const REFUSALS: Refusals = Refusals {
    passive: Sense::new(0x02, 0x04, 0x02),
    booting: Sense::BECOMING_READY,
    quiescing: Sense::BECOMING_READY,
    upgrading: SWITCHING_OVER,
};

/// The traits in which HP and Compaq arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HpSwConfig {
    /// How long a switch-over takes. During that time, every START STOP UNIT, including the one
    /// that starts the switch-over, is answered 02/04/03. Zero: the LUNs move at once.
    pub switch_over: Duration,
    /// Whether START STOP UNIT moves all LUNs of the controller that owns the addressed LUN, as
    /// these arrays do. If not, it moves only the addressed LUN.
    pub whole_controller: bool,
}

impl Default for HpSwConfig {
    fn default() -> Self {
        HpSwConfig { switch_over: Duration::ZERO, whole_controller: true }
    }
}

impl HpSwConfig {
    /// The LUNs that move together with the addressed LUN.
    fn together(&self, site: &Site<'_>) -> Vec<Lun> {
        let Some(addressed) = site.unit() else { return Vec::new() };
        let (whole, owner) = (self.whole_controller, site.owner_of(addressed));
        let along = site.units.values().filter(|unit| whole && site.owner_of(unit) == owner);
        let mut luns: Vec<Lun> = along.map(|unit| unit.lun).collect();
        if !whole {
            luns.push(addressed.lun);
        }
        luns
    }
}

impl Personality for HpSwConfig {
    fn name(&self) -> &'static str {
        "hp_sw"
    }

    fn handler(&self) -> &'static str {
        "hp_sw"
    }

    fn identity(&self) -> Identity {
        Identity::new("COMPAQ", "MSA1000 VOLUME", "4.32")
    }

    fn max_lun(&self) -> u16 {
        start_stop::MAX_LUN
    }

    /// The OUI of Compaq.
    fn maker(&self) -> [u8; 3] {
        [0x00, 0x08, 0x05]
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
        Ok(if activates { Effect::Take(self.together(site)) } else { Effect::None })
    }
}
