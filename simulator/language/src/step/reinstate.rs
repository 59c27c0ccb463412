//! `reinstate`: paths of a multipath map are reinstated.

use sansim_stage::{Act, Reinstate as Which};

use super::{StepAction, StepWord};
use crate::{
    check::Checker,
    form::table,
    names::{AllOrPath, PathsName, TextOrPath},
    value::At,
};

table! {
    /// Reinstates paths of the multipath map.
    pub(crate) struct Reinstate, "a step" {
        /// Reinstates paths of the multipath map.
        reinstate: At<PathsName>,
        /// The LUN whose map gets the `message` or `reinstate`, or whose workload is stopped.
        /// Default: the workload's.
        lun: Option<At<u64>>,
    }
}

impl StepWord for Reinstate {
    const EXAMPLE: &'static str = r#"reinstate = "hba0:A0""#;

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let paths = self.reinstate.0.0;
        if let Which::Paths(path) = paths {
            checker.path(path, &self.reinstate.span);
        }
        StepAction::Act(Act::Reinstate { lun: checker.lun_or_main(self.lun.as_ref()), paths })
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::Reinstate { lun, paths }) = action else { return None };
        let reinstate = At::nowhere(TextOrPath(AllOrPath(*paths)));
        Some(Reinstate { reinstate, lun: Some((*lun).into()) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::Reinstate { lun, paths }) = action else { return None };
        Some(format!("reinstate paths of LUN {lun}: {paths}"))
    }
}
