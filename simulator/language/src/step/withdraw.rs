//! `withdraw`: one of two arrays no longer presents a LUN.

use sansim_array::{Action, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{check::Checker, form::table, value::At};

table! {
    /// Unmaps a LUN at one of the two arrays that present it. The other one keeps it.
    pub(crate) struct Withdraw, "a step" {
        /// Unmaps a LUN at one of the two arrays that present it. The other one keeps it.
        withdraw: At<WithdrawTable>,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
    }
}

table! {
    /// A LUN, and the array that no longer presents it.
    struct WithdrawTable, "a table such as { lun = 0, array = \"east\" }" {
        /// The LUN.
        lun: At<u64>,
        /// The name of the array.
        array: At<String>,
    }
}

impl ArrayWord for Withdraw {
    const EXAMPLE: &'static str = r#"withdraw = { lun = 0, array = "east" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let given = &self.withdraw;
        checker.needs_metro(&given.span);
        let array = checker.array(&given.array.value, &given.array.span);
        let change = VolumeChange::Withdraw { lun: checker.lun(&given.lun), array };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::Withdraw { lun, array }, notice) = notice::parts(action)? else {
            return None;
        };
        let array = At::nowhere(array.to_string());
        let withdraw = WithdrawTable { lun: (*lun).into(), array };
        Some(Withdraw { withdraw: At::nowhere(withdraw), notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::Withdraw { lun, array } => {
                Some(format!("array {array} no longer presents LUN {lun}"))
            }
            _ => None,
        })
    }
}
