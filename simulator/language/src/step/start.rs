//! `start`: a workload is started.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::{Announced, Checker},
    form::table,
    value::At,
    workload::StartTable,
};

table! {
    /// Starts a workload on a LUN's map.
    pub(crate) struct Start, "a step" {
        /// Starts a workload on the map of a LUN, which must have none at that time. The totals of
        /// all workloads add up.
        start: At<StartTable>,
    }
}

impl StepWord for Start {
    const EXAMPLE: &'static str = r#"start = { lun = 0, rate = 50 }"#;

    fn announce(&self) -> Announced {
        Announced::Workload
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let workload = self.start.check_step(&self.start.span, checker);
        StepAction::Act(Act::StartWorkload(workload))
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::StartWorkload(workload)) = action else { return None };
        Some(Start { start: At::nowhere(StartTable::of(workload)) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::StartWorkload(workload)) = action else { return None };
        Some(format!("start a workload on LUN {}", workload.lun))
    }
}
