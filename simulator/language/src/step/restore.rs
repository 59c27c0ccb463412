//! `restore`: a controller comes back online.

use sansim_array::{Action, ControllerState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::Part,
};

table! {
    /// Brings a controller back online.
    pub(crate) struct Restore, "a step" {
        /// Brings a controller back online.
        pub(super) restore: Name<Part>,
    }
}

impl ArrayWord for Restore {
    const EXAMPLE: &'static str = r#"restore = "controller A""#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let part = &self.restore;
        checker.known_controller(part.0.0, &part.span);
        Action::SetController { controller: part.0.0, state: ControllerState::Online }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetController { controller, state: ControllerState::Online } => {
                Some(Restore { restore: name(Part(*controller)) })
            }
            _ => None,
        }
    }

    /// [`Set`](super::Set) provides the words.
    fn words(_: &Action) -> Option<String> {
        None
    }
}
