//! How a command ends.

use crate::{
    sense::Sense,
    status::{ServiceResponse, Status},
};

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

/// Why a command ends otherwise than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// CHECK CONDITION with this sense.
    Check(Sense),
    /// RESERVATION CONFLICT.
    Conflict,
    /// The data could not be delivered.
    Undelivered(ServiceResponse),
}

impl From<Sense> for Stop {
    fn from(sense: Sense) -> Self {
        Stop::Check(sense)
    }
}

/// A parked command; unique for the life of the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);
