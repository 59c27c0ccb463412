//! `map`: a LUN is mapped.

use sansim_array::{Action, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    array::LunTable,
    check::{Announced, Checker},
    form::table,
    value::{At, Size},
};

table! {
    /// Maps a new LUN.
    pub(crate) struct Map, "a step" {
        /// Maps a new LUN.
        pub(super) map: At<LunTable>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
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
        let change = VolumeChange::Map(self.map.check(&self.map.span, 0, checker));
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Map(config), notice) = notice::parts(action)? else { return None };
        Some(Map { map: At::nowhere(LunTable::of(config)), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Map(config) => {
                Some(format!("map LUN {} of {}", config.lun, Size(config.bytes)))
            }
            _ => None,
        })
    }
}
