//! `replication`: the state of a LUN's replication between two arrays, and who serves the LUN.

use std::{fmt, sync::Arc};

use sansim_array::{Controllers, Lun, Replication as State};
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition};
use crate::{
    check::{Checker, Shape},
    form::{Many, table, words},
    value::At,
};

table! {
    /// The state of a LUN's replication between two arrays, and the arrays that serve the LUN.
    pub(super) struct Replication, "`replication`" {
        /// The state of a LUN's replication between two arrays, and the arrays that serve the LUN.
        replication: Many<At<ReplicationStateTable>>,
    }
}

table! {
    /// The replication of a LUN. At least one of `is` and `served_by` is given.
    struct ReplicationStateTable, "a table such as { is = \"up\" }" {
        /// The LUN. Default: the expectation's.
        lun: Option<At<u64>>,
        /// Its state.
        is: Option<ReplicationName>,
        /// The names of the arrays that serve the LUN: these and no others.
        served_by: Option<At<Vec<At<String>>>>,
    }
}

words! {
    /// The state of a LUN's replication between two arrays.
    pub(crate) enum ReplicationName {
        /// Both arrays have the same data.
        Up = "up",
        /// The same, and writes are acknowledged later.
        Lagging = "lagging",
        /// The arrays do not reach each other.
        Down = "down",
        /// An array gets what it lacks.
        Resync = "resync",
    }
}

impl ReplicationName {
    /// The word for a state.
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Up => ReplicationName::Up,
            State::Lagging(_) => ReplicationName::Lagging,
            State::Down => ReplicationName::Down,
            State::Resync { .. } => ReplicationName::Resync,
        }
    }
}

#[derive(Debug)]
struct Replicates {
    lun: Lun,
    is: Option<ReplicationName>,
    /// The names of the arrays, and their controllers.
    served_by: Option<(Vec<String>, Controllers)>,
}

impl ExpectWord for Replication {
    const EXAMPLE: &'static str = r#"replication = { is = "down", served_by = ["east"] }"#;

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        self.replication.iter().map(|table| table.check(context, checker)).collect()
    }
}

impl At<ReplicationStateTable> {
    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Arc<dyn Expected> {
        checker.needs_metro(&self.span);
        if self.is.is_none() && self.served_by.is_none() {
            let help = "write is = \"up\", or served_by = [\"east\"]";
            checker.refuse(&self.span, "nothing is expected of the replication", help);
        }
        let served_by = self.served_by.as_ref().map(|given| {
            let names = given.iter().map(|name| checker.array(&name.value, &name.span));
            let names: Vec<String> = names.map(|name| name.to_string()).collect();
            let arrays = checker.shape.arrays.iter().filter(|it| names.contains(&it.name));
            let controllers =
                arrays.flat_map(|array| Controllers::from_range(array.controllers.clone()).iter());
            let controllers = controllers.collect();
            (names, controllers)
        });
        let lun = self.lun.as_ref().map_or(context.lun, |lun| checker.lun(lun));
        condition(Replicates { lun, is: self.is, served_by })
    }
}

impl Replicates {
    fn holds(&self, state: State, serving: Controllers) -> bool {
        self.is.is_none_or(|is| is == ReplicationName::of(state))
            && self.served_by.as_ref().is_none_or(|(_, wanted)| *wanted == serving)
    }
}

impl Condition for Replicates {
    fn judge(&self, world: &World) -> Judgement {
        let lun = self.lun;
        match world.replication(lun) {
            Some((state, serving)) => {
                let seen = format!("replication of LUN {lun} is {state}, served by {serving}");
                Judgement::new(self.holds(state, serving), seen)
            }
            None => Judgement::new(false, format!("one array presents LUN {lun}")),
        }
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the replication of LUN {}", self.lun)]
    }
}

impl Expected for Replicates {
    fn put(&self, table: &mut Expecting) {
        let names = self
            .served_by
            .as_ref()
            .map(|(names, _)| At::nowhere(names.iter().cloned().map(At::nowhere).collect()));
        let table_of =
            ReplicationStateTable { lun: Some(self.lun.into()), is: self.is, served_by: names };
        table.push("replication", &table_of);
    }

    fn holds_at_first(&self, shape: &Shape) -> bool {
        let config = shape.configs.iter().find(|config| config.lun == self.lun);
        config.is_some_and(|config| {
            config.partner.is_some() && self.holds(State::Up, config.mapping.presenters())
        })
    }
}

impl fmt::Display for Replicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replication of LUN {}", self.lun)?;
        if let Some(is) = self.is {
            write!(f, " is {}", is.word())?;
        }
        match &self.served_by {
            Some((names, _)) if names.is_empty() => f.write_str(", served by nobody"),
            Some((names, _)) => write!(f, ", served by {}", names.join(" and ")),
            None => Ok(()),
        }
    }
}
