//! `read_only`: write protection of a LUN is set or cleared.

use sansim_array::Action;

use super::ArrayWord;
use crate::{check::Checker, form::table, value::At};

table! {
    /// Sets or clears write protection of a LUN.
    pub(crate) struct ReadOnly, "a step" {
        /// Sets or clears write protection of a LUN.
        pub(super) read_only: ReadOnlyTable,
    }
}

table! {
    /// Write protection of a LUN.
    pub(super) struct ReadOnlyTable, "a table such as { lun = 0 }" {
        /// The LUN whose write protection changes.
        lun: At<u64>,
        /// Whether the LUN refuses writes afterwards. Default: true.
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
