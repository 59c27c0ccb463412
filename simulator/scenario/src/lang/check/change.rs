//! The words for a change of the array that steps and fault rules share: `fail`, `restore`, `set`, `own`.

use sansim_array::{Action, ControllerState};

use super::context::Checker;
use crate::lang::file::{LunOwner, Name, Part, SetState};

/// Those that are there.
pub(super) struct Change<'f> {
    pub(super) fail: &'f Option<Name<Part>>,
    pub(super) restore: &'f Option<Name<Part>>,
    pub(super) set: &'f Option<SetState>,
    pub(super) own: &'f Option<LunOwner>,
}

impl Change<'_> {
    /// The names of the words, and which of them are there.
    pub(super) fn keys(&self) -> [(&'static str, bool); 4] {
        [
            ("fail", self.fail.is_some()),
            ("restore", self.restore.is_some()),
            ("set", self.set.is_some()),
            ("own", self.own.is_some()),
        ]
    }

    /// What the first of them means; none if there is none.
    pub(super) fn resolve(&self, checker: &mut Checker<'_>) -> Option<Action> {
        let state = |controller, state| Action::SetController { controller, state };
        if let Some(part) = self.fail {
            checker.known_controller(part.0.0, &part.span);
            Some(state(part.0.0, ControllerState::Failed))
        } else if let Some(part) = self.restore {
            checker.known_controller(part.0.0, &part.span);
            Some(state(part.0.0, ControllerState::Online))
        } else if let Some(set) = self.set {
            Some(state(checker.controller(&set.controller), set.state.0))
        } else {
            let own = self.own.as_ref()?;
            let controller = checker.controller(&own.controller);
            Some(Action::SetOwner { lun: checker.lun(&own.lun), controller })
        }
    }
}
