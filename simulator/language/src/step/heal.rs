//! `heal`: the controllers agree about a LUN again.

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// Ends a `split` of a LUN.
    pub(crate) struct Heal, "a step" {
        /// Makes the controllers agree about the LUN with this number again. The owner is the one
        /// from before the split.
        pub(super) heal: At<u64>,
    }
}

impl ArrayWord for Heal {
    const EXAMPLE: &'static str = r#"heal = 0"#;
    const SPOKEN: Spoken = Spoken::of("lun");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::Split { lun: checker.lun(&self.heal), apart: None }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Split { lun, apart: None } => Some(Heal { heal: (*lun).into() }),
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::Split { lun, apart: None } => {
                Some(format!("the controllers agree about LUN {lun} again"))
            }
            _ => None,
        }
    }
}
