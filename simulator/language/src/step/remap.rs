//! `remap`: the number of a LUN changes.

use sansim_array::{Action, Lun, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
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
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
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
        let change = VolumeChange::Remap { lun: checker.lun(&self.remap.lun), to: Lun(to) };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Remap { lun, to }, notice) = notice::parts(action)? else { return None };
        let remap = At::nowhere(RemapTable { lun: (*lun).into(), to: (*to).into() });
        Some(Remap { remap, notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Remap { lun, to } => Some(format!("remap LUN {lun} to {to}")),
            _ => None,
        })
    }
}
