//! `unplug`: a port is removed, with the disks behind it.

use sansim_array::{Action, PortId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, Spoken, name, table},
};

table! {
    /// Removes a port together with the disks behind it.
    pub(crate) struct Unplug, "a step" {
        /// Removes a port together with the disks behind it.
        pub(super) unplug: Name<PortId>,
    }
}

impl ArrayWord for Unplug {
    const EXAMPLE: &'static str = r#"unplug = "A0""#;
    const SPOKEN: Spoken = Spoken::of("port");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::SetPort { port: checker.port(&self.unplug), present: false }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetPort { port, present: false } => Some(Unplug { unplug: name(*port) }),
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::SetPort { port, present: false } => Some(format!("unplug port {port}")),
            _ => None,
        }
    }
}
