//! `on = { replication = … }`: the replication of a LUN comes into a state.

use std::fmt;

use sansim_array::{Changed, Lun, LunChange};
use sansim_stage::{Awaited, Seen, World};

use super::{Event, OnWord, put};
use crate::{
    check::Checker,
    expect::ReplicationName,
    form::{PlainTable, table},
    value::At,
};

table! {
    /// The replication of a LUN between two arrays comes into a state.
    pub(super) struct Replication, "a table such as { fault = \"name\" }" {
        /// The replication of a LUN between two arrays comes into a state.
        replication: At<ReplicationComesTable>,
    }
}

table! {
    /// A LUN and the state of its replication.
    struct ReplicationComesTable, "a table such as { is = \"up\" }" {
        /// The state.
        is: ReplicationName,
        /// The LUN. Default: the workload's.
        lun: Option<At<u64>>,
    }
}

#[derive(Debug)]
pub(super) struct Comes {
    lun: Lun,
    is: ReplicationName,
}

impl OnWord for Replication {
    const EXAMPLE: &'static str = r#"replication = { is = "up" }"#;
    type Event = Comes;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Comes {
        checker.needs_metro(&self.replication.span);
        let lun = checker.lun_or_main(self.replication.lun.as_ref());
        Comes { lun, is: self.replication.is }
    }
}

impl Event for Comes {
    fn put(&self, table: &mut PlainTable) {
        let of = ReplicationComesTable { is: self.is, lun: Some(self.lun.into()) };
        put(&Replication { replication: At::nowhere(of) }, table);
    }
}

impl Awaited for Comes {
    fn has_come(&self, seen: &Seen<'_>, _: &World) -> bool {
        let Seen::Change(change) = seen else { return false };
        let Changed::Lun { lun, change: LunChange::Replication { is, .. } } = change.what else {
            return false;
        };
        lun == self.lun && ReplicationName::of(is) == self.is
    }
}

impl fmt::Display for Comes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the replication of LUN {} is {}", self.lun, self.is.word())
    }
}
