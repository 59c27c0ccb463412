//! `disks`: the number of disks that the guest has for a LUN.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::some};
use crate::{
    check::{Checker, Shape},
    form::table,
    value::{At, Comparison},
};

table! {
    /// The number of disks of the LUN.
    pub(super) struct Disks, "`disks`" {
        /// The number of disks that the guest's kernel has for the LUN: one for each path that it
        /// has found.
        disks: At<Comparison<u64>>,
    }
}

#[derive(Debug)]
struct Count {
    lun: Lun,
    count: Comparison<u64>,
}

impl ExpectWord for Disks {
    const EXAMPLE: &'static str = "disks = 3";

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let At { value: count, span } = &self.disks;
        if let Some(most) = checker.shape.most_paths().filter(|most| count.is_certain(*most)) {
            let problem = format!("the number of disks is always {count}");
            checker.refuse(span, problem, format!("there are {most} paths"));
        }
        vec![condition(Count { lun: context.lun, count: count.clone() })]
    }
}

impl Condition for Count {
    fn judge(&self, world: &World) -> Judgement {
        let count = world.disks(self.lun) as u64;
        let seen = format!("the guest has {} for LUN {}", some(count, "disk"), self.lun);
        Judgement::new(self.count.holds(count), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the disks of LUN {}", self.lun)]
    }
}

impl Expected for Count {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn is_about_discovery(&self) -> bool {
        true
    }

    fn put(&self, table: &mut Expecting) {
        table.put("disks", &self.count);
    }

    fn holds_at_first(&self, shape: &Shape) -> bool {
        shape.most_paths().is_some_and(|all| self.count.holds(all))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} disks of LUN {}", self.count, self.lun)
    }
}
