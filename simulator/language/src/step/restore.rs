//! `restore`: what has failed works again.

use sansim_array::Action;

use super::{
    ArrayWord,
    fail::{part, turned},
};
use crate::{
    check::Checker,
    form::{Name, name, table},
    names::Part,
};

table! {
    /// Brings back a controller, a whole array (which is no longer isolated either), or the witness of a
    /// metro cluster.
    pub(crate) struct Restore, "a step" {
        /// Brings back a controller, a whole array (which is no longer isolated either), or the witness
        /// of a metro cluster.
        pub(super) restore: Name<Part>,
    }
}

impl ArrayWord for Restore {
    const EXAMPLE: &'static str = r#"restore = "controller A""#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        turned(&self.restore.0, &self.restore.span, true, checker)
    }

    fn of(action: &Action) -> Option<Self> {
        part(action, true).map(|part| Restore { restore: name(part) })
    }

    /// [`Set`](super::Set) provides the words for a controller.
    fn words(action: &Action) -> Option<String> {
        match part(action, true)? {
            Part::Controller(_) => None,
            Part::Array(name) => Some(format!("array {name} is back")),
            Part::Witness => Some("the witness is back".to_owned()),
        }
    }
}
