//! `arm`: a fault rule is armed.

use std::sync::Arc;

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// A fault rule is armed.
    pub(crate) struct Arm, "a step" {
        /// Arms the fault rule with this name, so that it catches commands from now on.
        pub(super) arm: At<String>,
    }
}

impl ArrayWord for Arm {
    const EXAMPLE: &'static str = r#"arm = "not ready""#;
    const SPOKEN: Spoken = Spoken::of("fault");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::Arm { rule: Arc::from(checker.rule(&self.arm)), armed: true }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Arm { rule, armed: true } = action else { return None };
        Some(Arm { arm: At::nowhere(rule.to_string()) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::Arm { rule, armed: true } = action else { return None };
        Some(format!("arm fault {rule:?}"))
    }
}
