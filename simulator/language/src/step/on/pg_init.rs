//! `on = { pg_init = … }`: pg_init reaches a round.

use std::fmt;

use sansim_array::Lun;
use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, table},
    value::At,
};

table! {
    /// The pg_init of a map reaches a round.
    pub(super) struct PgInit, "a table such as { fault = \"name\" }" {
        /// The pg_init of the map reaches this round, from 1.
        pg_init: At<u64>,
        /// The LUN whose map `pg_init` and `path_failed` refer to. Default: the workload's.
        lun: Option<At<u64>>,
    }
}

#[derive(Debug)]
pub(super) struct Round {
    rounds: u32,
    lun: Lun,
}

impl OnWord for PgInit {
    const EXAMPLE: &'static str = r#"pg_init = 2"#;
    type Event = Round;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Round {
        let lun = checker.lun_or_main(self.lun.as_ref());
        let rounds = checker.number(Some(&self.pg_init), 1..=1_000_000, 1, "the round") as u32;
        Round { rounds, lun }
    }
}

impl Event for Round {
    fn put(&self, table: &mut PlainTable) {
        put(&PgInit { pg_init: at(self.rounds.into()), lun: Some(self.lun.into()) }, table);
    }
}

impl Awaited for Round {
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool {
        matches!(seen, Seen::Map(status)
            if status.rounds >= self.rounds && world.luns_of(status).contains(&self.lun))
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pg_init of LUN {} comes to round {}", self.lun, self.rounds)
    }
}
