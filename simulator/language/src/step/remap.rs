//! `remap`: the number of a LUN changes.

use sansim_array::{Action, Lun};

use super::ArrayWord;
use crate::{
    check::{Announced, Checker},
    form::table,
    value::At,
};

table! {
    /// Changes the number of a LUN. The volume keeps its name and its data.
    pub(crate) struct Remap, "a step" {
        /// Changes the number of a LUN. The volume keeps its name and its data.
        pub(super) remap: At<RemapTable>,
    }
}

table! {
    /// The current and the new number of a LUN.
    pub(super) struct RemapTable, "a table such as { lun = 1, to = 5 }" {
        /// The current LUN number.
        lun: At<u64>,
        /// The new LUN number, which must be free at that time.
        to: At<u64>,
    }
}

impl ArrayWord for Remap {
    const EXAMPLE: &'static str = "remap = { lun = 0, to = 5 }";

    fn announce(&self) -> Announced {
        Announced::lun(Some(&self.remap.to))
    }

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let max = u64::from(checker.shape.max_lun);
        let to = checker.number(Some(&self.remap.to), 0..=max, 0, "the new number") as u16;
        Action::RemapLun { lun: checker.lun(&self.remap.lun), to: Lun(to) }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::RemapLun { lun, to } = *action else { return None };
        Some(Remap { remap: At::nowhere(RemapTable { lun: lun.into(), to: to.into() }) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::RemapLun { lun, to } = action else { return None };
        Some(format!("remap LUN {lun} to {to}"))
    }
}
