//! `on = { step = … }`: another step has been completed.

use std::fmt;

use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, table},
    value::At,
};

table! {
    /// The step with this name has been completed.
    pub(super) struct Step, "a table such as { fault = \"name\" }" {
        /// The step with this name has been completed.
        step: At<String>,
    }
}

#[derive(Debug)]
pub(super) struct Done {
    step: String,
}

impl OnWord for Step {
    const EXAMPLE: &'static str = r#"step = "crash""#;
    type Event = Done;

    fn check(&self, step: &str, checker: &mut Checker<'_>) -> Done {
        if self.step.value == step {
            checker.refuse(&self.step.span, "this step waits for itself", "name another one");
        }
        Done { step: checker.step(&self.step) }
    }
}

impl Event for Done {
    fn put(&self, table: &mut PlainTable) {
        put(&Step { step: at(self.step.clone()) }, table);
    }
}

impl Awaited for Done {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        matches!(seen, Seen::Step(done) if *done == self.step)
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {:?} is done", self.step)
    }
}
