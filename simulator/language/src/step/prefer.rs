//! `prefer`: a LUN prefers another controller as its owner.

use sansim_array::Action;

use super::{ArrayWord, own::LunOwner};
use crate::{
    check::Checker,
    form::{name, table},
};

table! {
    /// A LUN prefers another controller as its owner.
    pub(crate) struct Prefer, "a step" {
        /// A LUN prefers another controller as its owner, and stays where it is: what an administrator
        /// changes. Hosts see it in target port groups and vendor pages; `failback` of the array goes by it.
        prefer: LunOwner,
    }
}

impl ArrayWord for Prefer {
    const EXAMPLE: &'static str = r#"prefer = { lun = 0, controller = "B" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let controller = checker.controller(&self.prefer.controller);
        Action::SetPreferred { lun: checker.lun(&self.prefer.lun), controller }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::SetPreferred { lun, controller } = *action else { return None };
        Some(Prefer { prefer: LunOwner { lun: lun.into(), controller: name(controller) } })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::SetPreferred { lun, controller } = action else { return None };
        Some(format!("LUN {lun} prefers controller {controller}"))
    }
}
