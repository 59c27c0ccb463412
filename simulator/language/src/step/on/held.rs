//! `on = { held = … }`: a command is put under a hold.

use std::fmt;

use sansim_array::Changed;
use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, table},
    value::At,
};

table! {
    /// A command is put under a hold.
    pub(super) struct Held, "a table such as { fault = \"name\" }" {
        /// A command is put under the hold with this name.
        held: At<String>,
    }
}

#[derive(Debug)]
pub(super) struct Parks {
    hold: String,
}

impl OnWord for Held {
    const EXAMPLE: &'static str = r#"held = "gate""#;
    type Event = Parks;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Parks {
        Parks { hold: checker.hold(&self.held) }
    }
}

impl Event for Parks {
    fn put(&self, table: &mut PlainTable) {
        put(&Held { held: at(self.hold.clone()) }, table);
    }
}

impl Awaited for Parks {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        let Seen::Change(change) = seen else { return false };
        matches!(&change.what, Changed::Parked { hold: Some(hold), .. } if **hold == *self.hold)
    }
}

impl fmt::Display for Parks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a command comes under hold {:?}", self.hold)
    }
}
