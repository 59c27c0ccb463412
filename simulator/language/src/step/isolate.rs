//! `isolate`: hosts reach an array, but it reaches neither another array nor the witness.

use sansim_array::{Action, ArrayState};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::WholeArray,
};

table! {
    /// Isolates an array: hosts reach it, but it reaches neither another array nor the witness. A
    /// `restore` of the array ends that.
    pub(crate) struct Isolate, "a step" {
        /// Isolates an array: hosts reach it, but it reaches neither another array nor the witness. A
        /// `restore` of the array ends that.
        isolate: Name<WholeArray>,
    }
}

impl ArrayWord for Isolate {
    const EXAMPLE: &'static str = r#"isolate = "array west""#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        checker.needs_metro(&self.isolate.span);
        let array = checker.array(&self.isolate.0.0, &self.isolate.span);
        Action::SetArray { array, state: ArrayState::Isolated }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetArray { array, state: ArrayState::Isolated } => {
                Some(Isolate { isolate: name(WholeArray(array.to_string())) })
            }
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::SetArray { array, state: ArrayState::Isolated } => {
                Some(format!("array {array} is isolated"))
            }
            _ => None,
        }
    }
}
