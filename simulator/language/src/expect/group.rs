//! `group`: the path groups of a map.

use std::{fmt, sync::Arc};

use sansim_array::Lun;
use sansim_protocol::GroupState;
use sansim_stage::{Condition, Judgement, World};

use super::{Context, ExpectWord, Expected, Expecting, condition, number::some};
use crate::{
    check::{Checker, Shape},
    form::table,
    value::{At, Comparison},
};

table! {
    /// The path groups of the map.
    pub(super) struct Group, "`group`" {
        /// The path groups of the map.
        group: At<GroupTable>,
    }
}

table! {
    /// The current path group and the number of bypassed ones.
    struct GroupTable, "a table such as { current = 2 }" {
        /// The number of the current path group, from 1.
        current: Option<Comparison<u64>>,
        /// The number of bypassed path groups.
        bypassed: Option<Comparison<u64>>,
    }
}

#[derive(Debug)]
struct Current {
    lun: Lun,
    number: Comparison<u64>,
}

#[derive(Debug)]
struct Bypassed {
    lun: Lun,
    count: Comparison<u64>,
}

impl ExpectWord for Group {
    const EXAMPLE: &'static str = "group = { current = 2, bypassed = 0 }";

    fn check(&self, context: &Context, checker: &mut Checker<'_>) -> Vec<Arc<dyn Expected>> {
        let (lun, GroupTable { current, bypassed }) = (context.lun, &self.group.value);
        if current.is_none() && bypassed.is_none() {
            let help = "write `current` or `bypassed`";
            checker.refuse(&self.group.span, "`group` says nothing of path groups", help);
        }
        let current = current.iter().map(|it| condition(Current { lun, number: it.clone() }));
        let bypassed = bypassed.iter().map(|it| condition(Bypassed { lun, count: it.clone() }));
        current.chain(bypassed).collect()
    }
}

impl Condition for Current {
    fn judge(&self, world: &World) -> Judgement {
        Judgement::of_map(self.lun, world, |status| {
            let group = status.current_group;
            let seen = format!("the current path group of LUN {} is {group}", self.lun);
            Judgement::new(self.number.holds(group.into()), seen)
        })
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the current path group of LUN {}", self.lun)]
    }
}

impl Expected for Current {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn put(&self, table: &mut Expecting) {
        table.merge("group", &GroupTable { current: Some(self.number.clone()), bypassed: None });
    }

    fn holds_at_first(&self, _: &Shape) -> bool {
        self.number.holds(1)
    }
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the current path group of LUN {} is {}", self.lun, self.number)
    }
}

impl Condition for Bypassed {
    fn judge(&self, world: &World) -> Judgement {
        Judgement::of_map(self.lun, world, |status| {
            let bypassed =
                status.groups.iter().filter(|group| group.state == GroupState::Bypassed).count()
                    as u64;
            let seen = format!("{} of LUN {} bypassed", some(bypassed, "path group"), self.lun);
            Judgement::new(self.count.holds(bypassed), seen)
        })
    }

    fn subjects(&self) -> Vec<String> {
        vec![format!("the bypassed path groups of LUN {}", self.lun)]
    }
}

impl Expected for Bypassed {
    fn is_about_map_of(&self, lun: Lun) -> bool {
        self.lun == lun
    }

    fn put(&self, table: &mut Expecting) {
        table.merge("group", &GroupTable { current: None, bypassed: Some(self.count.clone()) });
    }

    fn holds_at_first(&self, _: &Shape) -> bool {
        self.count.holds(0)
    }
}

impl fmt::Display for Bypassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} path groups of LUN {} are bypassed", self.count, self.lun)
    }
}
