//! `fail`: a controller fails.

use sansim_array::{Action, ControllerState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::Part,
};

table! {
    /// Makes a controller fail.
    pub(crate) struct Fail, "a step" {
        /// Makes a controller fail.
        pub(super) fail: Name<Part>,
    }
}

impl ArrayWord for Fail {
    const EXAMPLE: &'static str = r#"fail = "controller A""#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let part = &self.fail;
        checker.known_controller(part.0.0, &part.span);
        Action::SetController { controller: part.0.0, state: ControllerState::Failed }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetController { controller, state: ControllerState::Failed } => {
                Some(Fail { fail: name(Part(*controller)) })
            }
            _ => None,
        }
    }

    /// [`Set`](super::Set) provides the words.
    fn words(_: &Action) -> Option<String> {
        None
    }
}
