//! `[[fault]]`: which commands are affected by faults, and how.

mod operations;
mod then;
mod when;
mod words;

use std::sync::Arc;

use sansim_array::FaultRule;
use sansim_stage::Array;
use then::ThenTable;
pub(crate) use then::{StatusName, effects};
use when::When;
pub(crate) use words::words;

use crate::{
    check::Checker,
    form::{Section, table},
    value::At,
};

table! {
    /// A fault rule: which commands are caught, and what happens to them.
    pub(crate) struct Fault, "a table with `when` and `then`" {
        /// The name of the rule, for steps, expectations and the report. Default: `fault-1` and so
        /// on.
        pub(crate) name: Option<At<String>>,
        /// Which commands the rule catches.
        when: Section<When>,
        /// What happens to a caught command.
        then: At<ThenTable>,
        /// Whether the rule is armed at the start; a step can arm it later. Default: true.
        armed: Option<bool>,
        /// If true, the rule need not fire. Default: false, so that the run fails if it never does,
        /// unless an expectation says that it fires 0 times.
        optional: Option<bool>,
    }
}

impl Fault {
    /// Whether the rule need not fire.
    pub(crate) fn is_optional(&self) -> bool {
        self.optional.unwrap_or(false)
    }

    /// The name of the hold that the rule puts commands under, if any.
    pub(crate) fn hold(&self) -> Option<&At<String>> {
        self.then.hold()
    }

    /// Validates the rule and converts it.
    pub(crate) fn check(
        &self,
        name: String,
        arrays: &[Array],
        checker: &mut Checker<'_>,
    ) -> FaultRule {
        self.when.check_operation(arrays, checker);
        self.rule(name, checker)
    }

    /// Validates the rule and converts it, whichever operations the array carries out.
    pub(crate) fn rule(&self, name: String, checker: &mut Checker<'_>) -> FaultRule {
        let when = &*self.when;
        let resolved = when.check(checker);
        let effect = self.then.check(when, &self.then.span, checker);
        let armed = self.armed.unwrap_or(true);
        FaultRule { name: Arc::from(name), when: resolved, effect, armed }
    }

    /// The table that would be read as `rule`, which need not fire if `optional`.
    pub(crate) fn of(rule: &FaultRule, optional: bool) -> Self {
        Fault {
            name: Some(At::nowhere(rule.name.to_string())),
            when: Section::nowhere(When::of(rule)),
            then: At::nowhere(ThenTable::of(&rule.effect)),
            armed: Some(rule.armed),
            optional: Some(optional),
        }
    }
}
