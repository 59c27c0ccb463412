//! What a command ends with: a status, or why there is none.

use std::fmt;

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

impl ServiceResponse {
    /// The name of its virtio-scsi response code.
    pub const fn name(self) -> &'static str {
        match self {
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
        }
    }
}

impl fmt::Display for ServiceResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
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

impl Status {
    /// Its name in SAM-5 5.3.1.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Good => "GOOD",
            Status::CheckCondition => "CHECK CONDITION",
            Status::ConditionMet => "CONDITION MET",
            Status::Busy => "BUSY",
            Status::ReservationConflict => "RESERVATION CONFLICT",
            Status::TaskSetFull => "TASK SET FULL",
            Status::AcaActive => "ACA ACTIVE",
            Status::TaskAborted => "TASK ABORTED",
            Status::Undefined => "UNDEFINED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
