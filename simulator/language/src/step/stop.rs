//! `stop`: the workload is stopped.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// Stops the workload.
    pub(crate) struct Stop, "a step" {
        /// Stops the workload.
        stop: StopName,
        /// The LUN whose map gets the `message` or `reinstate`, or whose workload is stopped.
        /// Default: the workload's.
        lun: Option<At<u64>>,
    }
}

words! {
    /// What a step can stop.
    enum StopName {
        /// The workload of the scenario.
        Workload = "workload",
    }
}

impl StepWord for Stop {
    const EXAMPLE: &'static str = r#"stop = "workload""#;

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let lun = self.lun.as_ref().map(|lun| checker.lun(lun));
        match self.stop {
            StopName::Workload => StepAction::Act(Act::StopWorkload { lun }),
        }
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::StopWorkload { lun }) = action else { return None };
        Some(Stop { stop: StopName::Workload, lun: lun.map(At::from) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::StopWorkload { lun }) = action else { return None };
        let of = lun.map(|lun| format!(" of LUN {lun}")).unwrap_or_default();
        Some(format!("stop the workload{of}"))
    }
}
