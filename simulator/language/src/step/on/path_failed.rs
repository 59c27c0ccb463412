//! `on = { path_failed = … }`: dm-multipath marks a path as failed.

use std::fmt;

use sansim_array::Lun;
use sansim_protocol::PathState;
use sansim_stage::{Awaited, PathPattern, Seen, World};

use super::{Event, OnWord, at, put};
use crate::{
    check::Checker,
    form::{PlainTable, table},
    names::{PathName, TextOrPath},
    value::At,
};

table! {
    /// A path is marked as failed by dm-multipath.
    pub(super) struct PathFailed, "a table such as { fault = \"name\" }" {
        /// A path is marked as failed by dm-multipath.
        path_failed: At<PathName>,
        /// The LUN whose map `pg_init` and `path_failed` refer to. Default: the workload's.
        lun: Option<At<u64>>,
    }
}

#[derive(Debug)]
pub(super) struct Fails {
    path: PathPattern,
    lun: Lun,
}

impl OnWord for PathFailed {
    const EXAMPLE: &'static str = r#"path_failed = "hba0:A0""#;
    type Event = Fails;

    fn check(&self, _: &str, checker: &mut Checker<'_>) -> Fails {
        let lun = checker.lun_or_main(self.lun.as_ref());
        Fails { path: checker.path(self.path_failed.0, &self.path_failed.span), lun }
    }
}

impl Event for Fails {
    fn put(&self, table: &mut PlainTable) {
        put(
            &PathFailed { path_failed: at(TextOrPath(self.path)), lun: Some(self.lun.into()) },
            table,
        );
    }
}

impl Awaited for Fails {
    fn has_come(&self, seen: &Seen<'_>, world: &World) -> bool {
        let Seen::Map(status) = seen else { return false };
        let mut failed = status.paths().filter(|path| path.state == PathState::Failed);
        world.luns_of(status).contains(&self.lun)
            && failed.any(|path| world.nexus(&path.dev).is_some_and(|it| self.path.matches(it)))
    }
}

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path {} of LUN {} fails", self.path, self.lun)
    }
}
