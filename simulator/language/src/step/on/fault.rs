//! `on = { fault = … }`: a fault rule fires.

use std::fmt;

use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::{Checker, NO_LIMIT},
    form::{PlainTable, table},
    value::At,
};

table! {
    /// A fault rule fires.
    pub(super) struct Fault, "a table such as { fault = \"name\" }" {
        /// The fault rule with this name fires.
        fault: At<String>,
        /// The number of the firing that triggers the step, from 1. Default: 1.
        nth: Option<At<u64>>,
    }
}

#[derive(Debug)]
pub(super) struct Fires {
    rule: String,
    nth: u64,
}

impl OnWord for Fault {
    const EXAMPLE: &'static str = r#"fault = "not ready", nth = 2"#;
    type Event = Fires;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Fires {
        let nth = checker.number(self.nth.as_ref(), 1..=NO_LIMIT, 1, "`nth`");
        Fires { rule: checker.rule(&self.fault), nth }
    }
}

impl Event for Fires {
    fn put(&self, table: &mut PlainTable) {
        put(&Fault { fault: at(self.rule.clone()), nth: Some(at(self.nth)) }, table);
    }
}

impl Awaited for Fires {
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool {
        matches!(seen, Seen::Command | Seen::Change(_)) && world.fired(&self.rule) >= self.nth
    }
}

impl fmt::Display for Fires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fires { rule, nth: 1 } => write!(f, "fault {rule:?} fires"),
            Fires { rule, nth } => write!(f, "fault {rule:?} fires {nth} times"),
        }
    }
}
