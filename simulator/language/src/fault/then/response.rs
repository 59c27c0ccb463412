//! `response`: the HBA reports an error in place of a SCSI status.

use sansim_array::{Answer, ServiceResponse};

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// The HBA reports an error in place of a SCSI status.
    pub(super) struct Response, "`response`" {
        /// Completes the command with this virtio-scsi response in place of a SCSI status.
        response: At<ResponseName>,
    }
}

words! {
    /// The virtio-scsi response code that the HBA reports in place of a SCSI status. Linux
    /// translates the code to the host byte in parentheses.
    enum ResponseName {
        /// Data overrun (DID_ERROR).
        Overrun = "overrun",
        /// The command was aborted (DID_ABORT).
        Aborted = "aborted",
        /// The target does not exist (DID_BAD_TARGET).
        BadTarget = "bad-target",
        /// The command was terminated by a reset (DID_RESET).
        Reset = "reset",
        /// The bus is busy (DID_BUS_BUSY).
        Busy = "busy",
        /// Transport failure (DID_TRANSPORT_DISRUPTED).
        TransportFailure = "transport-failure",
        /// Target failure (DID_BAD_TARGET).
        TargetFailure = "target-failure",
        /// Nexus failure (reservation conflict).
        NexusFailure = "nexus-failure",
        /// Any other failure (DID_ERROR).
        Failure = "failure",
        /// A code that virtio-scsi does not define (DID_ERROR, and a message in the kernel log).
        Unknown = "unknown",
    }
}

/// Each word with its response code. `Ok` has no word, because it is not a fault.
const RESPONSES: [(ResponseName, ServiceResponse); 10] = [
    (ResponseName::Overrun, ServiceResponse::Overrun),
    (ResponseName::Aborted, ServiceResponse::Aborted),
    (ResponseName::BadTarget, ServiceResponse::BadTarget),
    (ResponseName::Reset, ServiceResponse::Reset),
    (ResponseName::Busy, ServiceResponse::Busy),
    (ResponseName::TransportFailure, ServiceResponse::TransportFailure),
    (ResponseName::TargetFailure, ServiceResponse::TargetFailure),
    (ResponseName::NexusFailure, ServiceResponse::NexusFailure),
    (ResponseName::Failure, ServiceResponse::Failure),
    (ResponseName::Unknown, ServiceResponse::Unknown),
];

impl EffectWord for Response {
    const EXAMPLE: &'static str = r#"response = "transport-failure""#;
    const SORT: Sort = Sort::Answer;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        let known = RESPONSES.iter().find(|(word, _)| *word == self.response.value);
        let answer = known.map(|(_, response)| Answer::Response(*response));
        effects.answer = effects.answer.or(answer);
    }

    fn of(effects: &Effects) -> Option<Self> {
        let Some(Answer::Response(response)) = effects.answer else { return None };
        let (word, _) = RESPONSES.iter().find(|(_, known)| *known == response)?;
        Some(Response { response: At::nowhere(*word) })
    }
}
