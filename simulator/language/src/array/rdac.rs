//! `[array.rdac]`: what is particular to the personality `rdac`.

use sansim_array::{PersonalityConfig, Quiescence, RdacConfig};

use super::family::Family;
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// What is particular to the personality `rdac`.
    pub(super) struct Rdac, "a table" {
        /// What is particular to the personality `rdac`.
        rdac: Option<At<RdacTable>>,
    }
}

table! {
    /// What is particular to the personality `rdac`.
    struct RdacTable, "a table" {
        /// What the controller that does not own a LUN does with I/O. Default: "rdac".
        mode: Option<RdacModeName>,
        /// The highest LUN that the array says it supports, 1 to 255. Below 32 the guest moves LUNs by
        /// MODE SELECT(6) instead of (10). Default: 255.
        max_luns: Option<At<u64>>,
        /// What a quiescing controller answers. Default: "not-ready".
        quiescence: Option<QuiescenceName>,
    }
}

words! {
    /// What the controller that does not own a LUN does with I/O.
    enum RdacModeName {
        /// It refuses it until it is told to take the LUN.
        Rdac = "rdac",
        /// It takes the LUN and serves it (auto volume transfer).
        Avt = "avt",
        /// It serves it without taking the LUN.
        Ioship = "ioship",
    }
}

words! {
    /// What a quiescing controller answers; firmware families differ.
    enum QuiescenceName for Quiescence {
        /// 02/04/A1, quiescence in progress.
        NotReady = "not-ready",
        /// 02/A1/02, quiescence in progress or achieved.
        Achieved = "achieved",
        /// 06/8B/02, quiescence in progress.
        UnitAttention = "unit-attention",
    }
}

impl Family for Rdac {
    const NAME: &'static str = "rdac";
    const ABOUT: &'static str = "LSI/Engenio RAID Disk Array Controller, sold as IBM DS4000, Dell MD3000, StorageTek and others.";

    fn check(&self, checker: &mut Checker<'_>) -> PersonalityConfig {
        let default = RdacConfig::default();
        let Some(table) = &self.rdac else { return PersonalityConfig::Rdac(default) };
        PersonalityConfig::Rdac(RdacConfig {
            avt: table.mode == Some(RdacModeName::Avt),
            ioship: table.mode == Some(RdacModeName::Ioship),
            max_lun: checker.number(table.max_luns.as_ref(), 1..=255, 255, "`max_luns`") as u8,
            quiescence: table.quiescence.map_or(default.quiescence, Into::into),
            ..default
        })
    }

    fn of(personality: &PersonalityConfig) -> Option<Self> {
        let PersonalityConfig::Rdac(config) = personality else { return None };
        let mode = match (config.avt, config.ioship) {
            (_, true) => RdacModeName::Ioship,
            (true, false) => RdacModeName::Avt,
            (false, false) => RdacModeName::Rdac,
        };
        let table = RdacTable {
            mode: Some(mode),
            max_luns: Some(At::nowhere(config.max_lun.into())),
            quiescence: Some(config.quiescence.into()),
        };
        Some(Rdac { rdac: Some(At::nowhere(table)) })
    }
}
