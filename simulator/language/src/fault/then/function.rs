//! `function`: a task management function is not carried out, and answered.

use sansim_array::TmfResponse;

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A task management function is not carried out, and answered.
    pub(super) struct Function, "`function`" {
        /// A task management function is not carried out and answered with this.
        function: At<FunctionName>,
    }
}

words! {
    /// How a task management function is answered (SAM-5 7.1).
    enum FunctionName for TmfResponse {
        /// FUNCTION COMPLETE, without its being done.
        Complete = "complete",
        /// FUNCTION SUCCEEDED, without its being done.
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
