//! `fail`: a controller, an array or the witness fails.

use std::ops::Range;

use sansim_array::{Action, ArrayState, ControllerState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::Part,
};

table! {
    /// Makes a controller, a whole array or the witness of a metro cluster fail.
    pub(crate) struct Fail, "a step" {
        /// Makes a controller, a whole array or the witness of a metro cluster fail.
        pub(super) fail: Name<Part>,
    }
}

impl ArrayWord for Fail {
    const EXAMPLE: &'static str = r#"fail = "controller A""#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        turned(&self.fail.0, &self.fail.span, false, checker)
    }

    fn of(action: &Action) -> Option<Self> {
        part(action, false).map(|part| Fail { fail: name(part) })
    }

    /// [`Set`](super::Set) provides the words for a controller.
    fn words(action: &Action) -> Option<String> {
        match part(action, false)? {
            Part::Controller(_) => None,
            Part::Array(name) => Some(format!("array {name} fails")),
            Part::Witness => Some("the witness is lost".to_owned()),
        }
    }
}

/// The action that makes a part fail, or that restores it.
pub(super) fn turned(
    part: &Part,
    span: &Range<usize>,
    up: bool,
    checker: &mut Checker<'_>,
) -> Action {
    match part {
        Part::Controller(controller) => {
            checker.known_controller(*controller, span);
            let state = if up { ControllerState::Online } else { ControllerState::Failed };
            Action::SetController { controller: *controller, state }
        }
        Part::Array(name) => {
            let state = if up { ArrayState::Online } else { ArrayState::Failed };
            Action::SetArray { array: checker.array(name, span), state }
        }
        Part::Witness => {
            checker.needs_metro(span);
            Action::SetWitness { present: up }
        }
    }
}

/// The part that an action makes fail, or that it restores.
pub(super) fn part(action: &Action, up: bool) -> Option<Part> {
    Some(match (action, up) {
        (Action::SetController { controller, state: ControllerState::Failed }, false)
        | (Action::SetController { controller, state: ControllerState::Online }, true) => {
            Part::Controller(*controller)
        }
        (Action::SetArray { array, state: ArrayState::Failed }, false)
        | (Action::SetArray { array, state: ArrayState::Online }, true) => {
            Part::Array(array.to_string())
        }
        (Action::SetWitness { present }, up) if *present == up => Part::Witness,
        _ => return None,
    })
}
