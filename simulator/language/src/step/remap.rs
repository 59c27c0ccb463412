//! `remap`: a LUN gets another number.

use sansim_array::{Action, Lun};

use super::ArrayWord;
use crate::{
    check::{Announced, Checker},
    form::table,
    value::At,
};

table! {
    /// A LUN gets another number.
    pub(crate) struct Remap, "a step" {
        /// A LUN gets another number.
        pub(super) remap: At<RemapTable>,
    }
}

table! {
    /// A LUN's new number.
    pub(super) struct RemapTable, "a table such as { lun = 1, to = 5 }" {
        /// Its number.
        lun: At<u64>,
        /// Its new number, which must be free then.
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
