//! `unmap`: a LUN is unmapped.

use sansim_array::Action;

use super::ArrayWord;
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
    }
}

impl ArrayWord for Unmap {
    const EXAMPLE: &'static str = r#"unmap = 5"#;
    const SPOKEN: Spoken = Spoken::of("lun");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::UnmapLun { lun: checker.lun(&self.unmap) }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::UnmapLun { lun } => Some(Unmap { unmap: (*lun).into() }),
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::UnmapLun { lun } => Some(format!("unmap LUN {lun}")),
            _ => None,
        }
    }
}
