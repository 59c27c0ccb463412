//! `fault`: the number of times that a fault rule has fired.

use std::{fmt, sync::Arc};

use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::some};
use crate::{
    check::Checker,
    form::{Many, table},
    value::{At, Comparison},
};

table! {
    /// The number of times that a fault rule has fired.
    pub(super) struct Fault, "`fault`" {
        /// The number of times that a fault rule has fired.
        fault: Many<FiredTable>,
    }
}

table! {
    /// The number of times that a fault rule has fired.
    struct FiredTable, "a table such as { name = \"fault-1\", fired = 2 }" {
        /// The name of the fault rule.
        name: At<String>,
        /// The number of times.
        fired: Comparison<u64>,
    }
}

#[derive(Debug)]
struct Fired {
    rule: String,
    times: Comparison<u64>,
}

impl ExpectWord for Fault {
    const EXAMPLE: &'static str = r#"fault = { name = "not ready", fired = 2 }"#;

    fn check(&self, _: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let one = |given: &FiredTable| {
            condition(Fired { rule: checker.rule(&given.name), times: given.fired.clone() })
        };
        self.fault.iter().map(one).collect()
    }
}

impl Condition for Fired {
    fn judge(&self, world: &World) -> Judgement {
        let fired = world.fired(&self.rule);
        let seen = format!("fault {:?} has fired {}", self.rule, some(fired, "time"));
        Judgement::new(self.times.holds(fired), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("fault {:?}", self.rule)]
    }
}

impl Expected for Fired {
    fn put(&self, table: &mut Expecting) {
        let fired = FiredTable { name: At::nowhere(self.rule.clone()), fired: self.times.clone() };
        table.push("fault", &fired);
    }

    fn is_of_nothing(&self) -> bool {
        self.times.holds(0)
    }

    fn allows_no_firing(&self, rule: &str) -> bool {
        self.rule == rule && self.times.holds(0)
    }
}

impl fmt::Display for Fired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {:?} fires {} times", self.rule, self.times)
    }
}
