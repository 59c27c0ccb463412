//! `on = { log = … }`: the guest's kernel logs a line.

use std::fmt;

use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, table},
    value::At,
};

table! {
    /// The guest's kernel logs a line.
    pub(super) struct Log, "a table such as { fault = \"name\" }" {
        /// The guest's kernel logs a line that contains this text.
        log: At<String>,
    }
}

#[derive(Debug)]
pub(super) struct Says {
    text: String,
}

impl OnWord for Log {
    const EXAMPLE: &'static str = r#"log = "Failing path""#;
    type Event = Says;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Says {
        checker.not_empty(&self.log);
        Says { text: self.log.value.clone() }
    }
}

impl Event for Says {
    fn put(&self, table: &mut PlainTable) {
        put(&Log { log: at(self.text.clone()) }, table);
    }
}

impl Awaited for Says {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        matches!(seen, Seen::Log(line) if line.contains(&self.text))
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel logs {:?}", self.text)
    }
}
