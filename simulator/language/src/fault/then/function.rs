//! `function`: a task management function is answered without being performed.

use sansim_array::TmfResponse;

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A task management function is answered without being performed.
    pub(super) struct Function, "`function`" {
        /// Answers a task management function with this response without performing it.
        function: At<FunctionName>,
    }
}

words! {
    /// The response to a task management function (SAM-5 7.1).
    enum FunctionName for TmfResponse {
        /// FUNCTION COMPLETE, although the function is not performed.
        Complete = "complete",
        /// FUNCTION SUCCEEDED, although the function is not performed.
        Succeeded = "succeeded",
        /// FUNCTION REJECTED.
        Rejected = "rejected",
        /// INCORRECT LOGICAL UNIT NUMBER.
        IncorrectLun = "incorrect-lun",
    }
}

impl EffectWord for Function {
    const EXAMPLE: &'static str = r#"function = "rejected""#;
    const SORT: Sort = Sort::Function;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.function = Some(self.function.value.into());
    }

    fn of(effects: &Effects) -> Option<Self> {
        Some(Function { function: At::nowhere(effects.function?.into()) })
    }
}
