//! `read_only`: write protection of a LUN is set or cleared.

use sansim_array::{Action, VolumeChange};

use super::{
    ArrayWord,
    notice::{self, Notice},
};
use crate::{check::Checker, form::table, value::At};

table! {
    /// Sets or clears write protection of a LUN.
    pub(crate) struct ReadOnly, "a step" {
        /// Sets or clears write protection of a LUN.
        pub(super) read_only: ReadOnlyTable,
        /// How hosts hear of a change of a volume: "none", one notice, or a list of notices. Default: as
        /// docs/arrays.md says.
        notice: Option<Notice>,
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
        let read_only = read_only.unwrap_or(true);
        let change = VolumeChange::SetReadOnly { lun: checker.lun(lun), read_only };
        notice::action(change, self.notice.as_ref(), checker)
    }

    fn of(action: &Action) -> Option<Self> {
        let (VolumeChange::SetReadOnly { lun, read_only }, notice) = notice::parts(action)? else {
            return None;
        };
        let read_only = ReadOnlyTable { lun: (*lun).into(), read_only: Some(*read_only) };
        Some(ReadOnly { read_only, notice })
    }

    fn words(action: &Action) -> Option<String> {
        notice::words(action, |change| match change {
            VolumeChange::SetReadOnly { lun, read_only: true } => {
                Some(format!("LUN {lun} refuses writes"))
            }
            VolumeChange::SetReadOnly { lun, read_only: false } => {
                Some(format!("LUN {lun} takes writes"))
            }
            _ => None,
        })
    }
}
