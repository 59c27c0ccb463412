//! `condition`: an array operation starts or ends that restricts what hosts can do with a LUN.

use sansim_array::{Action, LunCondition};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

table! {
    /// Starts or ends an array operation that restricts what hosts can do with a LUN.
    pub(crate) struct Condition, "a step" {
        /// Starts or ends an array operation that restricts what hosts can do with a LUN.
        pub(super) condition: At<ConditionTable>,
    }
}

table! {
    /// An array operation that restricts what hosts can do with a LUN.
    pub(super) struct ConditionTable, "a table such as { lun = 0, is = \"array-copy\" }" {
        /// The LUN that the operation affects.
        lun: At<u64>,
        /// The operation.
        is: Name<LunCondition>,
    }
}

impl ArrayWord for Condition {
    const EXAMPLE: &'static str = r#"condition = { lun = 0, is = "array-copy" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let ConditionTable { lun, is } = &self.condition.value;
        Action::SetCondition { lun: checker.lun(lun), condition: is.0 }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::SetCondition { lun, condition } = *action else { return None };
        let table = ConditionTable { lun: lun.into(), is: name(condition) };
        Some(Condition { condition: At::nowhere(table) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::SetCondition { lun, condition } = action else { return None };
        Some(format!("condition {condition} of LUN {lun}"))
    }
}
