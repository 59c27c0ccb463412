//! `own`: a LUN changes hands without a host's asking.

use sansim_array::{Action, ControllerId};

use super::ArrayWord;
use crate::{
    check::Checker,
    form::{Name, name, table},
    value::At,
};

table! {
    /// A LUN changes hands without a host's asking.
    pub(crate) struct Own, "a step" {
        /// A LUN changes hands without a host's asking.
        pub(super) own: LunOwner,
    }
}

table! {
    /// A LUN and a controller that owns it.
    pub(crate) struct LunOwner, "a table such as { lun = 0, controller = \"B\" }" {
        /// The LUN.
        pub(crate) lun: At<u64>,
        /// The controller.
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
