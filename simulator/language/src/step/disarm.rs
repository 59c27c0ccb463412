//! `disarm`: a fault rule is disarmed.

use std::sync::Arc;

use sansim_array::Action;

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Spoken, table},
    value::At,
};

table! {
    /// A fault rule is disarmed.
    pub(crate) struct Disarm, "a step" {
        /// Disarms the fault rule with this name, so that it no longer catches commands.
        pub(super) disarm: At<String>,
    }
}

impl ArrayWord for Disarm {
    const EXAMPLE: &'static str = r#"disarm = "not ready""#;
    const SPOKEN: Spoken = Spoken::of("fault");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::Arm { rule: Arc::from(checker.rule(&self.disarm)), armed: false }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::Arm { rule, armed: false } = action else { return None };
        Some(Disarm { disarm: At::nowhere(rule.to_string()) })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::Arm { rule, armed: false } = action else { return None };
        Some(format!("disarm fault {rule:?}"))
    }
}
