//! `replace`: another volume takes the place of a LUN.

use sansim_array::Action;

use super::ArrayWord;
use crate::{check::Checker, form::table, value::At};

table! {
    /// Another volume takes the place of a LUN.
    pub(crate) struct Replace, "a step" {
        /// Another volume, empty and with another name, takes the place of the LUN with this
        /// number, and no event tells of it.
        pub(super) replace: At<u64>,
    }
}

impl ArrayWord for Replace {
    const EXAMPLE: &'static str = "replace = 0";

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::ReplaceLun { lun: checker.lun(&self.replace) }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::ReplaceLun { lun } = *action else { return None };
        Some(Replace { replace: lun.into() })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::ReplaceLun { lun } = action else { return None };
        Some(format!("replace LUN {lun} by another volume"))
    }
}
