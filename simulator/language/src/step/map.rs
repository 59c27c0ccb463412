//! `map`: a LUN is mapped.

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    array::LunTable,
    check::{Announced, Checker},
    form::table,
    value::{At, Size},
};

table! {
    /// Maps a new LUN behind every port.
    pub(crate) struct Map, "a step" {
        /// Maps a new LUN behind every port.
        pub(super) map: At<LunTable>,
    }
}

impl ArrayWord for Map {
    const EXAMPLE: &'static str = r#"map = { size = "256MiB", owner = "A", lun = 5 }"#;

    fn announce(&self) -> Announced {
        Announced::lun(self.map.lun.as_ref())
    }

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        if self.map.lun.is_none() {
            let help = "write lun = …";
            checker.refuse(&self.map.span, "a LUN that appears later needs its number", help);
        }
        Action::MapLun(self.map.check(&self.map.span, 0, checker))
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::MapLun(config) = action else { return None };
        Some(Map { map: At::nowhere(LunTable::of(config)) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::MapLun(config) = action else { return None };
        Some(format!("map LUN {} of {}", config.lun, Size(config.bytes)))
    }
}
