//! `rounds_at_end`: the round of pg_init that the map shows at the end of the story.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Deadline, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition};
use crate::{
    check::Checker,
    form::table,
    value::{At, Comparison},
};

table! {
    /// The round of pg_init that the map shows at the end of the story.
    pub(super) struct RoundsAtEnd, "`rounds_at_end`" {
        /// The round of pg_init that the map shows at the end of the story.
        rounds_at_end: At<Comparison<u64>>,
    }
}

#[derive(Debug)]
struct Last {
    lun: Lun,
    count: Comparison<u64>,
}

impl ExpectWord for RoundsAtEnd {
    const EXAMPLE: &'static str = "rounds_at_end = 1";

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let At { value: count, span } = &self.rounds_at_end;
        if context.when != Deadline::End {
            let problem = "`rounds_at_end` is about the end of the story";
            checker.refuse(span, problem, "write `rounds`, or leave the time away");
        }
        vec![condition(Last { lun: context.lun, count: count.clone() })]
    }
}

impl Condition for Last {
    fn judge(&self, world: &World) -> Judgement {
        Judgement::of_map(self.lun, world, |status| {
            let seen = format!("the map of LUN {} shows round {}", self.lun, status.rounds);
            Judgement::new(self.count.holds(status.rounds.into()), seen)
        })
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the round of pg_init that the map of LUN {} shows", self.lun)]
    }
}

impl Expected for Last {
    fn put(&self, table: &mut Expecting) {
        table.put("rounds_at_end", &self.count);
    }
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the map of LUN {} shows round {}", self.lun, self.count)
    }
}
