//! `reset_hba`: an HBA is reset.

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// Resets the HBA with this number.
    pub(crate) struct ResetHba, "a step" {
        /// Resets the HBA with this number.
        pub(super) reset_hba: At<u64>,
    }
}

impl ArrayWord for ResetHba {
    const EXAMPLE: &'static str = r#"reset_hba = 0"#;
    const SPOKEN: Spoken = Spoken::of("hba");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::ResetHba { hba: checker.hba(&self.reset_hba) }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::ResetHba { hba } => Some(ResetHba { reset_hba: (*hba).into() }),
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::ResetHba { hba } => Some(format!("reset {hba}")),
            _ => None,
        }
    }
}
