//! `set`: a controller changes its state.

use sansim_array::{Action, ControllerId, ControllerState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
};

table! {
    /// A controller changes its state.
    pub(crate) struct Set, "a step" {
        /// A controller changes its state.
        pub(super) set: SetTable,
    }
}

table! {
    /// A controller's new state.
    pub(crate) struct SetTable, "a table such as { controller = \"A\", state = \"quiescing\" }" {
        /// The controller.
        pub(super) controller: Name<ControllerId>,
        /// Its new state.
        pub(super) state: Name<ControllerState>,
    }
}

impl ArrayWord for Set {
    const EXAMPLE: &'static str = r#"set = { controller = "A", state = "quiescing" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let SetTable { controller, state } = &self.set;
        Action::SetController { controller: checker.controller(controller), state: state.0 }
    }

    /// Two states have words of their own: `fail` and `restore`.
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
