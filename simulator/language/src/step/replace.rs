//! `replace`: another volume replaces the one behind a LUN number.

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// Another volume replaces the one behind a LUN number.
    pub(crate) struct Replace, "a step" {
        /// Replaces the volume behind this LUN number with another one, which is empty and has
        /// another name. No event is sent to the guest.
        pub(super) replace: At<u64>,
    }
}

impl ArrayWord for Replace {
    const EXAMPLE: &'static str = "replace = 0";
    const SPOKEN: Spoken = Spoken::of("lun");

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
