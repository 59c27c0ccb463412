//! `on = { controller = … }`: a controller reaches a state.

use std::fmt;

use sansim_array::{Changed, ControllerId, ControllerState};
use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, name, table},
    step::set::SetTable,
    value::At,
};

table! {
    /// A controller reaches a state.
    pub(super) struct Controller, "a table such as { fault = \"name\" }" {
        /// A controller reaches this state, whatever changed it: a step, a fault rule or the end of a phase.
        controller: At<SetTable>,
    }
}

#[derive(Debug)]
pub(super) struct Reaches {
    controller: ControllerId,
    state: ControllerState,
}

impl OnWord for Controller {
    const EXAMPLE: &'static str = r#"controller = { controller = "A", state = "online" }"#;
    type Event = Reaches;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Reaches {
        let SetTable { controller, state } = &self.controller.value;
        Reaches { controller: checker.controller(controller), state: state.0 }
    }
}

impl Event for Reaches {
    fn put(&self, table: &mut PlainTable) {
        let set = SetTable { controller: name(self.controller), state: name(self.state) };
        put(&Controller { controller: at(set) }, table);
    }
}

impl Awaited for Reaches {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        let Seen::Change(change) = seen else { return false };
        matches!(&change.what, Changed::Controller { controller, to, .. }
            if *controller == self.controller && *to == self.state)
    }
}

impl fmt::Display for Reaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "controller {} is {}", self.controller, self.state)
    }
}
