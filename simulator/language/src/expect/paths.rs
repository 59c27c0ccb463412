//! `paths`: the number of failed or active paths of a map.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_protocol::PathState;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::keeps};
use crate::{
    check::{Checker, Shape},
    form::table,
    value::{At, Comparison},
};

table! {
    /// The number of failed or active paths.
    pub(super) struct Paths, "`paths`" {
        /// The number of failed or active paths.
        paths: At<PathsTable>,
    }
}

table! {
    /// The number of paths of a map by state.
    struct PathsTable, "a table such as { failed = 2 }" {
        /// The number of failed paths.
        failed: Option<Comparison<u64>>,
        /// The number of active paths.
        active: Option<Comparison<u64>>,
    }
}

#[derive(Debug)]
struct Totals {
    lun: Lun,
    numbers: PathsTable,
}

impl ExpectWord for Paths {
    const EXAMPLE: &'static str = "paths = { failed = 2, active = 2 }";

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let At { value: numbers, span } = &self.paths;
        if numbers.failed.is_none() && numbers.active.is_none() {
            checker.refuse(span, "`paths` counts nothing", "write `failed` or `active`");
        }
        let most = checker.shape.most_paths();
        for (limit, state) in [(&numbers.failed, "failed"), (&numbers.active, "active")] {
            if let (Some(limit), Some(most)) = (limit, most)
                && limit.is_certain(most)
            {
                let problem = format!("the number of {state} paths is always {limit}");
                checker.refuse(span, problem, format!("there are {most} paths"));
            }
        }
        vec![condition(Totals { lun: context.lun, numbers: numbers.clone() })]
    }
}

impl Condition for Totals {
    fn judge(&self, world: &World) -> Judgement {
        Judgement::of_map(self.lun, world, |status| {
            let paths = || status.groups.iter().flat_map(|group| &group.paths);
            let in_state = |state| paths().filter(|path| path.state == state).count() as u64;
            let (failed, active) = (in_state(PathState::Failed), in_state(PathState::Active));
            let holds = keeps(&self.numbers.failed, failed) && keeps(&self.numbers.active, active);
            let seen = format!("LUN {} has {active} active and {failed} failed paths", self.lun);
            Judgement::new(holds, seen)
        })
    }

    fn subjects(&self) -> Vec<String> {
        let PathsTable { failed, active } = &self.numbers;
        let counted = [(failed.is_some(), "failed"), (active.is_some(), "active")];
        let counted = counted.into_iter().filter(|(counted, _)| *counted);
        counted.map(|(_, state)| format!("the {state} paths of LUN {}", self.lun)).collect()
    }
}

impl Expected for Totals {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn put(&self, table: &mut Expecting) {
        table.put("paths", &self.numbers);
    }

    fn holds_at_first(&self, shape: &Shape) -> bool {
        let all = shape.most_paths().unwrap_or_default();
        keeps(&self.numbers.failed, 0) && keeps(&self.numbers.active, all)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.numbers.failed.as_ref().map(|n| format!("{n} failed"));
        let active = self.numbers.active.as_ref().map(|n| format!("{n} active"));
        let both: Vec<_> = active.into_iter().chain(failed).collect();
        write!(f, "paths of LUN {}: {}", self.lun, both.join(", "))
    }
}
