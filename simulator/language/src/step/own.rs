//! `own`: a LUN moves to another controller without a request from a host.

use sansim_array::{Action, ControllerId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

table! {
    /// Moves a LUN to another controller without a request from a host.
    pub(crate) struct Own, "a step" {
        /// Moves a LUN to another controller without a request from a host.
        pub(super) own: LunOwner,
    }
}

table! {
    /// A LUN and its owner.
    pub(crate) struct LunOwner, "a table such as { lun = 0, controller = \"B\" }" {
        /// The LUN number.
        pub(crate) lun: At<u64>,
        /// The controller that owns the LUN.
        pub(crate) controller: Name<ControllerId>,
    }
}

impl ArrayWord for Own {
    const EXAMPLE: &'static str = r#"own = { lun = 0, controller = "B" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let controller = checker.controller(&self.own.controller);
        Action::SetOwner { lun: checker.lun(&self.own.lun), controller }
    }

    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::SetOwner { lun, controller } => {
                let own = LunOwner { lun: (*lun).into(), controller: name(*controller) };
                Some(Own { own })
            }
            _ => None,
        }
    }

    fn words(action: &Action) -> Option<String> {
        match action {
            Action::SetOwner { lun, controller } => {
                Some(format!("controller {controller} takes LUN {lun}"))
            }
            _ => None,
        }
    }
}
