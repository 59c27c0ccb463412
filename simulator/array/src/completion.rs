//! How a command or a task management function ends.

use std::fmt;

use sansim_time::Time;

use crate::{array::Transfer, sense::Sense};

/// How the delivery of a command went, as a virtio-scsi response code says it. Anything but
/// [`ServiceResponse::Ok`] leaves the initiator without a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceResponse {
    /// The command was delivered and has a status.
    Ok,
    /// The initiator's buffers are too short for what the CDB transfers.
    Overrun,
    /// A task management function ended the command.
    Aborted,
    /// Nothing answers at this target.
    BadTarget,
    /// A reset ended the command.
    Reset,
    /// The transport is busy.
    Busy,
    /// The transport failed.
    TransportFailure,
    /// The target failed.
    TargetFailure,
    /// The nexus failed.
    NexusFailure,
    /// Anything else.
    Failure,
    /// A code that virtio-scsi does not define.
    Unknown,
}

impl fmt::Display for ServiceResponse {
    /// The name of its virtio-scsi response code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ServiceResponse::Ok => "OK",
            ServiceResponse::Overrun => "OVERRUN",
            ServiceResponse::Aborted => "ABORTED",
            ServiceResponse::BadTarget => "BAD TARGET",
            ServiceResponse::Reset => "RESET",
            ServiceResponse::Busy => "BUSY",
            ServiceResponse::TransportFailure => "TRANSPORT FAILURE",
            ServiceResponse::TargetFailure => "TARGET FAILURE",
            ServiceResponse::NexusFailure => "NEXUS FAILURE",
            ServiceResponse::Failure => "FAILURE",
            ServiceResponse::Unknown => "UNKNOWN",
        })
    }
}

/// A SCSI status (SAM-5 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// GOOD.
    Good = 0x00,
    /// CHECK CONDITION.
    CheckCondition = 0x02,
    /// CONDITION MET.
    ConditionMet = 0x04,
    /// A code that SAM does not define.
    Undefined = 0x3e,
    /// BUSY.
    Busy = 0x08,
    /// RESERVATION CONFLICT.
    ReservationConflict = 0x18,
    /// TASK SET FULL.
    TaskSetFull = 0x28,
    /// ACA ACTIVE.
    AcaActive = 0x30,
    /// TASK ABORTED.
    TaskAborted = 0x40,
}

impl fmt::Display for Status {
    /// Its name in SAM-5 5.3.1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Good => "GOOD",
            Status::CheckCondition => "CHECK CONDITION",
            Status::ConditionMet => "CONDITION MET",
            Status::Busy => "BUSY",
            Status::ReservationConflict => "RESERVATION CONFLICT",
            Status::TaskSetFull => "TASK SET FULL",
            Status::AcaActive => "ACA ACTIVE",
            Status::TaskAborted => "TASK ABORTED",
            Status::Undefined => "UNDEFINED",
        })
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Completion {
    /// Whether the command was delivered.
    pub response: ServiceResponse,
    /// The status; GOOD (and meaningless) unless `response` is [`ServiceResponse::Ok`].
    pub status: Status,
    /// Comes with CHECK CONDITION. A CHECK CONDITION without it makes a Linux guest's error handler
    /// ask for it.
    pub sense: Option<Sense>,
    /// Bytes of the initiator's buffers, in and out, that were not used.
    pub residual: u32,
}

impl Completion {
    pub(crate) const fn status(status: Status, residual: u32) -> Self {
        Completion { response: ServiceResponse::Ok, status, sense: None, residual }
    }

    pub(crate) const fn good(residual: u32) -> Self {
        Completion::status(Status::Good, residual)
    }

    pub(crate) const fn check(sense: Sense, residual: u32) -> Self {
        Completion {
            response: ServiceResponse::Ok,
            status: Status::CheckCondition,
            sense: Some(sense),
            residual,
        }
    }

    pub(crate) const fn response(response: ServiceResponse, residual: u32) -> Self {
        Completion { response, status: Status::Good, sense: None, residual }
    }
}

/// A parked command; unique for the life of the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// What comes of a command.
#[derive(Debug)]
pub enum Outcome {
    /// It is done; parameter data was put or taken already.
    Complete(Completion),
    /// A medium access that may proceed: call [`crate::Array::transfer`] with it.
    Transfer(Transfer),
    /// It is held back. Call [`crate::Array::resume`] when [`crate::Notice::Resume`] names the
    /// ticket, or at the given time at the latest.
    Parked(Ticket, Option<Time>),
}

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
