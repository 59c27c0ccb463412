//! Task management functions and their answers (SAM-5 clause 7).

use std::fmt;

/// A task management function (SAM-5 clause 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskManagement {
    /// ABORT TASK.
    AbortTask {
        /// The tag of the command to abort.
        tag: u64,
    },
    /// ABORT TASK SET: every command of the nexus on the LUN.
    AbortTaskSet,
    /// CLEAR TASK SET: every command on the LUN.
    ClearTaskSet,
    /// CLEAR ACA.
    ClearAca,
    /// LOGICAL UNIT RESET.
    LogicalUnitReset,
    /// I_T NEXUS RESET: every command of the nexus, on any LUN.
    ItNexusReset,
    /// QUERY TASK.
    QueryTask {
        /// The tag of the command to look for.
        tag: u64,
    },
    /// QUERY TASK SET.
    QueryTaskSet,
}

impl TaskManagement {
    /// The names of all functions, as SAM-5 clause 7 has them.
    pub const NAMES: [&'static str; 8] = [
        "ABORT TASK",
        "ABORT TASK SET",
        "CLEAR TASK SET",
        "CLEAR ACA",
        "LOGICAL UNIT RESET",
        "I_T NEXUS RESET",
        "QUERY TASK",
        "QUERY TASK SET",
    ];

    /// Its name in [`TaskManagement::NAMES`].
    pub fn name(self) -> &'static str {
        let [abort, abort_set, clear_set, clear_aca, reset, nexus_reset, query, query_set] =
            Self::NAMES;
        match self {
            TaskManagement::AbortTask { .. } => abort,
            TaskManagement::AbortTaskSet => abort_set,
            TaskManagement::ClearTaskSet => clear_set,
            TaskManagement::ClearAca => clear_aca,
            TaskManagement::LogicalUnitReset => reset,
            TaskManagement::ItNexusReset => nexus_reset,
            TaskManagement::QueryTask { .. } => query,
            TaskManagement::QueryTaskSet => query_set,
        }
    }
}

impl fmt::Display for TmfResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TmfResponse::Complete => "FUNCTION COMPLETE",
            TmfResponse::Succeeded => "FUNCTION SUCCEEDED",
            TmfResponse::Rejected => "FUNCTION REJECTED",
            TmfResponse::IncorrectLun => "INCORRECT LOGICAL UNIT NUMBER",
        })
    }
}

/// The answer to a task management function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TmfResponse {
    /// FUNCTION COMPLETE.
    Complete,
    /// FUNCTION SUCCEEDED: to a query, "it is here".
    Succeeded,
    /// FUNCTION REJECTED.
    Rejected,
    /// INCORRECT LOGICAL UNIT NUMBER.
    IncorrectLun,
}
