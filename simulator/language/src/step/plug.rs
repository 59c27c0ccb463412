//! `plug`: a port is added again, with the disks behind it.

use sansim_array::{Action, PortId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, Spoken, name, table},
};

table! {
    /// Adds a removed port again, together with the disks behind it.
    pub(crate) struct Plug, "a step" {
        /// Adds a removed port again, together with the disks behind it.
        pub(super) plug: Name<PortId>,
    }
}

impl ArrayWord for Plug {
    const EXAMPLE: &'static str = r#"plug = "A0""#;
    const SPOKEN: Spoken = Spoken::of("port");

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        Action::SetPort { port: checker.port(&self.plug), present: true }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetPort { port, present: true } => Some(Plug { plug: name(*port) }),
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::SetPort { port, present: true } => Some(format!("plug port {port}")),
            _ => None,
        }
    }
}
