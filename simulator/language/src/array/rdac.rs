//! `[array.rdac]`: settings of the personality `rdac`.

use sansim_array::{PersonalityConfig, Quiescence, RdacConfig};

use super::family::Family;
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// Settings of the personality `rdac`.
    pub(super) struct Rdac, "a table" {
        /// Settings of the personality `rdac`.
        rdac: Option<At<RdacTable>>,
    }
}

table! {
    /// Settings of the personality `rdac`.
    struct RdacTable, "a table" {
        /// How a controller that does not own a LUN handles I/O. Default: "rdac".
        mode: Option<RdacModeName>,
        /// The highest LUN that the array reports as supported, 1 to 255. Below 32, the guest moves
        /// LUNs with MODE SELECT(6) instead of MODE SELECT(10). Default: 255.
        max_luns: Option<At<u64>>,
        /// The sense data that a quiescing controller returns. Default: "not-ready".
        quiescence: Option<QuiescenceName>,
    }
}

words! {
    /// How a controller that does not own a LUN handles I/O.
    enum RdacModeName {
        /// The controller refuses I/O until a host moves the LUN to it.
        Rdac = "rdac",
        /// The controller takes the LUN over and serves the I/O (auto volume transfer, AVT).
        Avt = "avt",
        /// The controller serves the I/O without taking the LUN over.
        Ioship = "ioship",
    }
}

words! {
    /// The sense data that a quiescing controller returns; firmware families differ.
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
