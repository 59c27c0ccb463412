//! `read_only`: a LUN refuses writes, or takes them again.

use sansim_array::Action;

use super::ArrayWord;
use crate::{check::Checker, form::table, value::At};

table! {
    /// A LUN refuses writes, or takes them again.
    pub(crate) struct ReadOnly, "a step" {
        /// A LUN refuses writes, or takes them again.
        pub(super) read_only: ReadOnlyTable,
    }
}

table! {
    /// Whether a LUN refuses writes.
    pub(super) struct ReadOnlyTable, "a table such as { lun = 0 }" {
        /// The LUN.
        lun: At<u64>,
        /// Whether it refuses writes. Default: true.
        read_only: Option<bool>,
    }
}

impl ArrayWord for ReadOnly {
    const EXAMPLE: &'static str = "read_only = { lun = 0 }";

    fn check(&self, checker: &mut Checker<'_>) -> Action {
        let ReadOnlyTable { lun, read_only } = &self.read_only;
        Action::SetReadOnly { lun: checker.lun(lun), read_only: read_only.unwrap_or(true) }
    }

    fn of(action: &Action) -> Option<Self> {
        let Action::SetReadOnly { lun, read_only } = *action else { return None };
        let read_only = ReadOnlyTable { lun: lun.into(), read_only: Some(read_only) };
        Some(ReadOnly { read_only })
    }

    fn words(action: &Action) -> Option<String> {
        let Action::SetReadOnly { lun, read_only } = action else { return None };
        let does = if *read_only { "refuses" } else { "takes" };
        Some(format!("LUN {lun} {does} writes"))
    }
}
