//! `owner_changes`: the number of ownership changes of a LUN.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::some};
use crate::{check::Checker, form::table, value::Comparison};

table! {
    /// The number of ownership changes of a LUN.
    pub(super) struct OwnerChanges, "`owner_changes`" {
        /// The number of ownership changes during the story, whatever caused them, of the LUN given
        /// by `lun`, or of the workload's.
        owner_changes: Comparison<u64>,
    }
}

#[derive(Debug)]
struct Changes {
    lun: Lun,
    count: Comparison<u64>,
}

impl ExpectWord for OwnerChanges {
    const EXAMPLE: &'static str = r#"owner_changes = "<= 2""#;

    fn check(&self, context: &Context, _: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        vec![condition(Changes { lun: context.lun, count: self.owner_changes.clone() })]
    }
}

impl Condition for Changes {
    fn judge(&self, world: &World) -> Judgement {
        let changes = world.owner_changes(self.lun);
        let seen = format!("LUN {} changed hands {}", self.lun, some(changes, "time"));
        Judgement::new(self.count.holds(changes), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the changes of owner of LUN {}", self.lun)]
    }
}

impl Expected for Changes {
    fn put(&self, table: &mut Expecting) {
        table.put("owner_changes", &self.count);
    }

    fn is_of_nothing(&self) -> bool {
        self.count.holds(0)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LUN {} changes hands {} times", self.lun, self.count)
    }
}
