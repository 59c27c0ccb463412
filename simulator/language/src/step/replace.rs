//! `replace`: another volume replaces the one behind a LUN number.

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
    /// Another volume replaces the one behind a LUN number.
    pub(crate) struct Replace, "a step" {
        /// Replaces the volume behind this LUN number with another one, which is empty and has another
        /// name.
        pub(super) replace: At<u64>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

impl ArrayWord for Replace {
    const EXAMPLE: &'static str = "replace = 0";
    const SPOKEN: Spoken = Spoken::of("lun");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let change = VolumeChange::Replace { lun: checker.lun(&self.replace) };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Replace { lun }, notice) = notice::parts(action)? else { return None };
        Some(Replace { replace: (*lun).into(), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Replace { lun } => Some(format!("replace LUN {lun} by another volume")),
            _ => None,
        })
    }
}
