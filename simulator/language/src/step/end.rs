//! `end`: the story ends.

use super::{StepAction, StepWord};
use crate::{
    check::{Announced, Checker},
    form::table,
    value::At,
};

table! {
    /// Ends the story.
    pub(crate) struct End, "a step" {
        /// Ends the story.
        end: At<bool>,
    }
}

impl StepWord for End {
    const EXAMPLE: &'static str = "end = true";

    fn announce(&self) -> Announced {
        Announced::End
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        if !self.end.value {
            checker.refuse(&self.end.span, "`end` is true or not there", "remove it");
        }
        StepAction::End
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::End = action else { return None };
        Some(End { end: At::nowhere(true) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::End = action else { return None };
        Some("end the story".to_owned())
    }
}
