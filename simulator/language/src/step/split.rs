//! `split`: the controllers disagree about a LUN.

use sansim_array::{Action, Apart};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// Makes the controllers disagree about a LUN: each controller considers itself the owner.
    pub(crate) struct Split, "a step" {
        /// Makes the controllers disagree about a LUN: each controller considers itself the owner.
        pub(super) split: At<SplitTable>,
    }
}

table! {
    /// A LUN about which the controllers disagree.
    pub(super) struct SplitTable, "a table such as { lun = 0 }" {
        /// The LUN about which the controllers disagree.
        lun: At<u64>,
        /// What the controllers disagree about. Default: "ownership".
        apart: Option<ApartName>,
    }
}

words! {
    /// What the controllers disagree about.
    enum ApartName for Apart {
        /// The owner of the LUN; there is still one copy of its data.
        Ownership = "ownership",
        /// The data of the LUN too: what is written through any controller but the owner is lost
        /// when the split is healed.
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
