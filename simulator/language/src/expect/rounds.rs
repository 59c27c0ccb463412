//! `rounds`: the highest round of pg_init.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition};
use crate::{check::Checker, form::table, value::Comparison};

table! {
    /// The highest round of pg_init in the story.
    pub(super) struct Rounds, "`rounds`" {
        /// The highest round of pg_init in the story; 1 means that there was no retry.
        rounds: Comparison<u64>,
    }
}

#[derive(Debug)]
struct Highest {
    lun: Lun,
    count: Comparison<u64>,
}

impl ExpectWord for Rounds {
    const EXAMPLE: &'static str = "rounds = 3";

    fn check(&self, context: &Context, _: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        vec![condition(Highest { lun: context.lun, count: self.rounds.clone() })]
    }
}

impl Condition for Highest {
    fn judge(&self, world: &World) -> Judgement {
        let rounds = world.map_seen(self.lun).map_or(0, |map| map.rounds);
        let seen = format!("pg_init of LUN {} came to round {rounds}", self.lun);
        Judgement::new(self.count.holds(rounds.into()), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the rounds of pg_init of LUN {}", self.lun)]
    }
}

impl Expected for Highest {
    fn put(&self, table: &mut Expecting) {
        table.put("rounds", &self.count);
    }

    fn is_of_nothing(&self) -> bool {
        self.count.holds(0)
    }
}

impl fmt::Display for Highest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pg_init of LUN {} comes to round {}", self.lun, self.count)
    }
}
