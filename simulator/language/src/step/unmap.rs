//! `unmap`: a LUN is unmapped.

use sansim_array::{Action, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// Unmaps a LUN.
    pub(crate) struct Unmap, "a step" {
        /// Unmaps the LUN with this number. Its data is lost.
        pub(super) unmap: At<u64>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

impl ArrayWord for Unmap {
    const EXAMPLE: &'static str = "unmap = 5";
    const SPOKEN: Spoken = Spoken::of("lun");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let change = VolumeChange::Unmap { lun: checker.lun(&self.unmap) };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Unmap { lun }, notice) = notice::parts(action)? else { return None };
        Some(Unmap { unmap: (*lun).into(), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Unmap { lun } => Some(format!("unmap LUN {lun}")),
            _ => None,
        })
    }
}
