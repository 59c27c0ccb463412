//! `uevents`: the number of uevents of a map for failed or reinstated paths.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number, number::some};
use crate::{
    check::Checker,
    form::{Many, table, words},
    value::{At, Comparison},
};

table! {
    /// The number of uevents of the map for failed or reinstated paths.
    pub(super) struct Uevents, "`uevents`" {
        /// The number of uevents of the map for failed or reinstated paths.
        uevents: Many<At<UeventsTable>>,
    }
}

table! {
    /// A number of path uevents. Without a number, at least one is expected.
    struct UeventsTable, "a table such as { action = \"PATH_FAILED\", count = 2 }" {
        /// The kind of uevent.
        action: UeventName,
        /// The number of uevents.
        count: Option<Comparison<u64>>,
        /// The minimum number of uevents.
        at_least: Option<u64>,
        /// The maximum number of uevents.
        at_most: Option<u64>,
        /// The exact number of uevents.
        exactly: Option<u64>,
    }
}

words! {
    /// The action of a path uevent (drivers/md/dm-uevent.c).
    enum UeventName {
        /// A path has failed.
        PathFailed = "PATH_FAILED",
        /// A path has been reinstated.
        PathReinstated = "PATH_REINSTATED",
    }
}

#[derive(Debug)]
struct UeventCount {
    lun: Lun,
    action: UeventName,
    count: Comparison<u64>,
}

impl ExpectWord for Uevents {
    const EXAMPLE: &'static str = r#"uevents = { action = "PATH_FAILED", count = 2 }"#;

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let one = |wanted: &At<UeventsTable>| {
            let UeventsTable { action, count, at_least, at_most, exactly } = &wanted.value;
            let (at_least, at_most, exactly) = (*at_least, *at_most, *exactly);
            let many = number::Many { count, at_least, at_most, exactly };
            let count = many.check(&wanted.span, checker);
            condition(UeventCount { lun: context.lun, action: *action, count })
        };
        self.uevents.iter().map(one).collect()
    }
}

impl Condition for UeventCount {
    fn judge(&self, world: &World) -> Judgement {
        let action = self.action.word();
        let seen = world.map_seen(self.lun).and_then(|map| map.uevents.get(action));
        let count = seen.copied().unwrap_or(0);
        let seen = format!("{} for LUN {}", some(count, &format!("{action} uevent")), self.lun);
        Judgement::new(self.count.holds(count), seen)
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("{} uevents for LUN {}", self.action.word(), self.lun)]
    }
}

impl Expected for UeventCount {
    fn put(&self, table: &mut Expecting) {
        let wanted = UeventsTable {
            action: self.action,
            count: Some(self.count.clone()),
            at_least: None,
            at_most: None,
            exactly: None,
        };
        table.push("uevents", &wanted);
    }

    fn is_of_nothing(&self) -> bool {
        self.count.holds(0)
    }
}

impl fmt::Display for UeventCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} uevents for LUN {}", self.count, self.action.word(), self.lun)
    }
}
