//! The status of a command, and the service response.

use std::fmt;

/// The service response of a command, as a virtio-scsi response code (virtio 1.2 5.6.6.1). Only
/// [`ServiceResponse::Ok`] comes with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceResponse {
    /// The command was delivered and completed with a status.
    Ok,
    /// The CDB requests more data than the initiator's buffers can hold.
    Overrun,
    /// A task management function aborted the command (ABORT TASK, ABORT TASK SET).
    Aborted,
    /// The command was not processed, because the target does not exist or does not answer.
    BadTarget,
    /// A bus or device reset ended the command.
    Reset,
    /// The command failed, but a retry on the same path should succeed.
    Busy,
    /// The connection between the host and the target failed.
    TransportFailure,
    /// The target failed. The initiator should not retry on other paths.
    TargetFailure,
    /// The nexus failed. A retry on another path may succeed.
    NexusFailure,
    /// Any other failure of the host or the driver.
    Failure,
    /// A response code that virtio-scsi does not define.
    Unknown,
}

impl ServiceResponse {
    /// The name of the virtio-scsi response code.
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

/// A SCSI status code (SAM-5 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// The command completed successfully.
    Good = 0x00,
    /// The sense data describes an error or a unit attention.
    CheckCondition = 0x02,
    /// The command completed successfully, and its condition is met (PRE-FETCH).
    ConditionMet = 0x04,
    /// A status code that SAM-5 does not define.
    Undefined = 0x3e,
    /// The logical unit cannot accept the command now.
    Busy = 0x08,
    /// The command conflicts with a reservation of another nexus.
    ReservationConflict = 0x18,
    /// The logical unit lacks the resources to accept another command.
    TaskSetFull = 0x28,
    /// An auto contingent allegiance (ACA) condition exists.
    AcaActive = 0x30,
    /// Another nexus aborted the command, and TAS is set in the control mode page.
    TaskAborted = 0x40,
}

impl Status {
    /// The name in SAM-5 5.3.1.
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
