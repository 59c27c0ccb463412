//! `prefer`: the preferred owner of a LUN changes.

use sansim_array::Action;

use super::{ArrayWord, own::LunOwner};
use crate::{
    check::Checker,
    form::{name, table},
};

table! {
    /// Changes the preferred owner of a LUN.
    pub(crate) struct Prefer, "a step" {
        /// Changes the preferred owner of a LUN without moving it, as an administrator does. Hosts
        /// see the change in target port group descriptors and vendor pages; the array's `failback`
        /// uses it.
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
