//! Task management functions and their responses (SAM-5 clause 7).

use std::fmt;

/// A task management function (SAM-5 clause 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskManagement {
    /// Aborts one command of the nexus on the LUN.
    AbortTask {
        /// The tag of the command to abort.
        tag: u64,
    },
    /// Aborts every command of the nexus on the LUN.
    AbortTaskSet,
    /// Aborts every command on the LUN, from all nexuses.
    ClearTaskSet,
    /// Clears an ACA condition. Always rejected, because sansim does not support ACA.
    ClearAca,
    /// Aborts every command on the LUN, restores saved mode parameters and ends a reservation by
    /// RESERVE.
    LogicalUnitReset,
    /// Aborts every command of the nexus, on all LUNs.
    ItNexusReset,
    /// Queries whether a command of the nexus is still in the task set.
    QueryTask {
        /// The tag of the command to query.
        tag: u64,
    },
    /// Queries whether any command of the nexus is in the task set.
    QueryTaskSet,
}

impl TaskManagement {
    /// The names of all functions in SAM-5 clause 7.
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

    /// The name of the function, one of [`TaskManagement::NAMES`].
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

/// The response to a task management function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TmfResponse {
    /// FUNCTION COMPLETE. For a query: the command is not in the task set.
    Complete,
    /// FUNCTION SUCCEEDED. Only for a query: the command is in the task set.
    Succeeded,
    /// FUNCTION REJECTED: the function is not supported, or the port does not answer.
    Rejected,
    /// INCORRECT LOGICAL UNIT NUMBER: the LUN is not mapped.
    IncorrectLun,
}
