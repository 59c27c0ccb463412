//! `io`: the totals of the workload.

use std::{fmt, sync::Arc, time::Duration};

use sansim_stage::{Condition, Deadline, IoSeen, Judgement, World};

use super::{
    Context, ExpectWord, Expected, Expecting, condition,
    number::{keeps, some},
};
use crate::{
    check::Checker,
    form::{Table, table},
    value::{At, Comparison, Quantity, TimeSpan},
};

table! {
    /// The totals of the workload.
    pub(super) struct Io, "`io`" {
        /// The totals of the workload.
        io: At<IoTable>,
    }
}

table! {
    /// The totals of the workload.
    struct IoTable, "a table such as { errors = 0, corrupt = 0 }" {
        /// The number of failed requests.
        errors: Option<Comparison<u64>>,
        /// The number of blocks with wrong data.
        corrupt: Option<Comparison<u64>>,
        /// The longest gap between completions while I/O was in flight.
        longest_stall: Option<Comparison<Duration>>,
        /// The number of completed reads.
        reads: Option<Comparison<u64>>,
        /// The number of completed writes.
        writes: Option<Comparison<u64>>,
        /// The number of requests that were never completed.
        stuck: Option<Comparison<u64>>,
    }
}

impl ExpectWord for Io {
    const EXAMPLE: &'static str = r#"io = { errors = 0, corrupt = 0, longest_stall = "< 10s" }"#;

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let At { value: limits, span } = &self.io;
        if !checker.has_workload {
            let help = "remove `io`, or give the scenario a workload";
            let problem = "there is no workload whose totals could be looked at";
            checker.refuse(span, problem, help);
        }
        if limits.words().is_empty() {
            let help = format!("write one or more of {}", IoTable::KEYS.join(", "));
            checker.refuse(span, "`io` limits nothing", help);
        }
        if let (Deadline::At(time) | Deadline::By(time), Some(begins)) =
            (context.when, checker.io_begins)
            && time <= begins
            && !begins.is_zero()
        {
            let problem = "this is decided before the workload starts";
            checker.untested(span, problem, format!("it starts at {}", TimeSpan(begins)));
        }
        vec![condition(limits.clone())]
    }
}

impl IoTable {
    /// The totals that are wanted, out of all; `wanted` gets the number of each, and whether it has a
    /// limit.
    fn limits(&self, wanted: impl Fn(usize, bool) -> bool) -> Vec<String> {
        let given = [
            self.errors.is_some(),
            self.corrupt.is_some(),
            self.longest_stall.is_some(),
            self.reads.is_some(),
            self.writes.is_some(),
            self.stuck.is_some(),
        ];
        let all = IoTable::KEYS.iter().zip(given).enumerate();
        let all = all.filter(|(at, (_, given))| wanted(*at, *given));
        all.map(|(_, (key, _))| format!("I/O: {key}")).collect()
    }

    /// Whether each total keeps its limit, in the order of the keys.
    fn each_holds(&self, seen: &IoSeen) -> [bool; 6] {
        [
            keeps(&self.errors, seen.errors),
            keeps(&self.corrupt, seen.corrupt),
            keeps(&self.longest_stall, seen.longest_stall),
            keeps(&self.reads, seen.reads),
            keeps(&self.writes, seen.writes),
            keeps(&self.stuck, seen.stuck),
        ]
    }

    /// The limits in words.
    fn words(&self) -> Vec<String> {
        fn part<T: Quantity>(limit: &Option<Comparison<T>>, what: &str) -> Option<String> {
            limit.as_ref().map(|limit| format!("{what} {limit}"))
        }
        let parts = [
            part(&self.errors, "errors"),
            part(&self.corrupt, "corrupt blocks"),
            part(&self.longest_stall, "longest stall"),
            part(&self.reads, "reads"),
            part(&self.writes, "writes"),
            part(&self.stuck, "stuck requests"),
        ];
        parts.into_iter().flatten().collect()
    }
}

impl Condition for IoTable {
    fn judge(&self, world: &World) -> Judgement {
        let seen = world.io();
        let holds = self.each_holds(&seen).iter().all(|holds| *holds);
        let mut words = Vec::new();
        let mut say = |there: bool, text: String| {
            if there {
                words.push(text);
            }
        };
        say(self.errors.is_some(), some(seen.errors, "error"));
        say(self.corrupt.is_some(), some(seen.corrupt, "corrupt block"));
        say(
            self.corrupt.is_some() && seen.unchecked > 0,
            format!("{} that could not be read back", some(seen.unchecked, "block")),
        );
        let stall = seen.longest_stall.as_secs_f64();
        say(self.longest_stall.is_some(), format!("longest stall {stall:.3} s"));
        say(self.reads.is_some(), some(seen.reads, "read"));
        say(self.writes.is_some(), some(seen.writes, "write"));
        say(self.stuck.is_some(), format!("{} requests stuck", seen.stuck));
        Judgement::new(holds, format!("I/O: {}", words.join(", ")))
    }

    fn subjects(&self) -> Vec<String> {
        self.limits(|_, given| given)
    }

    fn missed(&self, world: &World) -> Vec<String> {
        let holds = self.each_holds(&world.io());
        self.limits(|at, given| given && !holds[at])
    }

    fn is_about_io(&self) -> bool {
        true
    }
}

impl Expected for IoTable {
    fn put(&self, table: &mut Expecting) {
        table.put("io", self);
    }

    fn is_of_nothing(&self) -> bool {
        self.each_holds(&IoSeen::default()).iter().all(|holds| *holds)
    }
}

impl fmt::Display for IoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I/O: {}", self.words().join(", "))
    }
}
