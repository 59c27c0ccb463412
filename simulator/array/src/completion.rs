//! The outcome of a command.

use crate::{
    sense::Sense,
    status::{ServiceResponse, Status},
};

/// The outcome of a command, as the HBA returns it to the initiator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The service response. Only [`ServiceResponse::Ok`] comes with a status.
    pub response: ServiceResponse,
    /// The SCSI status. It is meaningful only if `response` is [`ServiceResponse::Ok`], and GOOD
    /// otherwise.
    pub status: Status,
    /// The sense data for CHECK CONDITION. Without it, the error handler of a Linux guest sends
    /// REQUEST SENSE.
    pub sense: Option<Sense>,
    /// The number of unused bytes in the initiator's buffers, data-in and data-out together.
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

/// Why a command does not end with GOOD status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// CHECK CONDITION status with this sense data.
    Check(Sense),
    /// RESERVATION CONFLICT status: another nexus has reserved the LUN.
    Conflict,
    /// No status: the command was not delivered, or its data could not be transferred.
    Undelivered(ServiceResponse),
}

impl From<Sense> for Stop {
    fn from(sense: Sense) -> Self {
        Stop::Check(sense)
    }
}

/// Identifies a parked command. Unique for the lifetime of the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);
