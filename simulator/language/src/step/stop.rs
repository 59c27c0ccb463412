//! `stop`: the workload is stopped.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::Checker,
    form::{table, words},
};

table! {
    /// Stops the workload.
    pub(crate) struct Stop, "a step" {
        /// Stops the workload.
        stop: StopName,
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

    fn check(&self, _: &mut Checker<'_>) -> StepAction {
        match self.stop {
            StopName::Workload => StepAction::Act(Act::StopWorkload),
        }
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::StopWorkload) = action else { return None };
        Some(Stop { stop: StopName::Workload })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::StopWorkload) = action else { return None };
        Some("stop the workload".to_owned())
    }
}
