//! `set`: the state of a controller changes.

use sansim_array::{Action, ControllerId, ControllerState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
};

table! {
    /// Changes the state of a controller.
    pub(crate) struct Set, "a step" {
        /// Changes the state of a controller.
        pub(super) set: SetTable,
    }
}

table! {
    /// A controller and its new state.
    pub(crate) struct SetTable, "a table such as { controller = \"A\", state = \"quiescing\" }" {
        /// The controller to change.
        pub(super) controller: Name<ControllerId>,
        /// The new state of the controller.
        pub(super) state: Name<ControllerState>,
    }
}

impl ArrayWord for Set {
    const EXAMPLE: &'static str = r#"set = { controller = "A", state = "quiescing" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let SetTable { controller, state } = &self.set;
        Action::SetController { controller: checker.controller(controller), state: state.0 }
    }

    /// The states "failed" and "online" are written with `fail` and `restore`.
    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetController {
                state: ControllerState::Failed | ControllerState::Online,
                ..
            } => None,
            Action::SetController { controller, state } => {
                let set = SetTable { controller: name(*controller), state: name(*state) };
                Some(Set { set })
            }
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::SetController { controller, state } => {
                Some(format!("controller {controller} is {state}"))
            }
            _ => None,
        }
    }
}
