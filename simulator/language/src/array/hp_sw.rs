//! `[array.hp_sw]`: settings of the personality `hp_sw`.

use std::time::Duration;

use sansim_array::{HpSwConfig, PersonalityConfig};

use super::family::Family;
use crate::{
    check::Checker,
    form::{Name, name, table, words},
    value::{At, TimeSpan},
};

table! {
    /// Settings of the personality `hp_sw`.
    pub(super) struct HpSw, "a table" {
        /// Settings of the personality `hp_sw`.
        hp_sw: Option<At<HpSwTable>>,
    }
}

table! {
    /// Settings of the personality `hp_sw`.
    struct HpSwTable, "a table" {
        /// The duration of a switch-over. During it, START STOP UNIT returns 02/04/03. Default:
        /// "0s".
        switch_over: Option<Name<TimeSpan>>,
        /// Which LUNs START STOP UNIT moves. Default: "controller".
        moves: Option<MovesName>,
    }
}

words! {
    /// Which LUNs START STOP UNIT moves.
    enum MovesName {
        /// All LUNs of the controller that owns the addressed LUN.
        Controller = "controller",
        /// Only the addressed LUN.
        Lun = "lun",
    }
}

impl Family for HpSw {
    const NAME: &'static str = "hp_sw";
    const ABOUT: &'static str = "HP and Compaq MSA1000, EVA and HSG, switched by START STOP UNIT.";

    fn check(&self, _: &mut Checker<'_>) -> PersonalityConfig {
        let Some(table) = &self.hp_sw else {
            return PersonalityConfig::HpSw(HpSwConfig::default());
        };
        PersonalityConfig::HpSw(HpSwConfig {
            switch_over: table.switch_over.as_ref().map_or(Duration::ZERO, |span| span.0.0),
            whole_controller: table.moves != Some(MovesName::Lun),
        })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::HpSw(config) = personality else { return None };
        let moves = if config.whole_controller { MovesName::Controller } else { MovesName::Lun };
        let switch_over = Some(name(TimeSpan(config.switch_over)));
        let table = HpSwTable { switch_over, moves: Some(moves) };
        Some(HpSw { hp_sw: Some(At::nowhere(table)) })
    }
}
