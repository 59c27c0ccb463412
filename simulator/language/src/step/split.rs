//! `split`: each controller takes itself for the owner of a LUN.

use sansim_array::{Action, Apart};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// Each controller takes itself for the owner of a LUN.
    pub(crate) struct Split, "a step" {
        /// Each controller takes itself for the owner of a LUN.
        pub(super) split: At<SplitTable>,
    }
}

table! {
    /// Controllers that no longer agree about a LUN.
    pub(super) struct SplitTable, "a table such as { lun = 0 }" {
        /// The LUN.
        lun: At<u64>,
        /// What they disagree about. Default: "ownership".
        apart: Option<ApartName>,
    }
}

words! {
    /// What controllers disagree about.
    enum ApartName for Apart {
        /// Who owns the LUN; there is one copy of its data.
        Ownership = "ownership",
        /// Its data as well: what is written through any controller but the owner is lost once they
        /// agree again.
        Data = "data",
    }
}

impl ArrayWord for Split {
    const EXAMPLE: &'static str = r#"split = { lun = 0, apart = "data" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let apart = self.split.apart.map_or(Apart::Ownership, Into::into);
        Action::Split { lun: checker.lun(&self.split.lun), apart: Some(apart) }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Split { lun, apart: Some(apart) } = *action else { return None };
        let split = SplitTable { lun: lun.into(), apart: Some(apart.into()) };
        Some(Split { split: At::nowhere(split) })
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::Split { lun, apart: Some(Apart::Ownership) } => {
                Some(format!("split: every controller takes itself for the owner of LUN {lun}"))
            }
            Action::Split { lun, apart: Some(Apart::Data) } => {
                Some(format!("split: every controller has LUN {lun}, with data of its own"))
            }
            _ => None,
        }
    }
}
