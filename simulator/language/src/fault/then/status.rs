//! `status`: a command gets a SCSI status in place of its own.

use sansim_array::{Answer, Status as Code};

use super::{EffectWord, Effects, Sort};
use crate::{
    check::Checker,
    form::{table, words},
    value::At,
};

table! {
    /// A command gets a SCSI status in place of its own.
    pub(super) struct Status, "`status`" {
        /// Completes the command with this SCSI status, without carrying it out.
        status: At<StatusName>,
    }
}

words! {
    /// A SCSI status (SAM-5 5.3.1).
    pub(crate) enum StatusName for Code {
        /// GOOD, although the command is not carried out.
        Good = "good",
        /// CHECK CONDITION without sense data; a Linux guest starts its SCSI error handler.
        CheckCondition = "check-condition",
        /// CONDITION MET.
        ConditionMet = "condition-met",
        /// 3Eh, which is not defined by any standard.
        Undefined = "undefined",
        /// BUSY.
        Busy = "busy",
        /// RESERVATION CONFLICT.
        ReservationConflict = "reservation-conflict",
        /// TASK SET FULL.
        TaskSetFull = "task-set-full",
        /// ACA ACTIVE.
        AcaActive = "aca-active",
        /// TASK ABORTED.
        TaskAborted = "task-aborted",
    }
}

impl EffectWord for Status {
    const EXAMPLE: &'static str = r#"status = "busy""#;
    const SORT: Sort = Sort::Answer;

    fn add(&self, effects: &mut Effects, _: &mut Checker<'_>) {
        effects.answer.get_or_insert(Answer::Status(self.status.value.into()));
    }

    fn of(effects: &Effects) -> Option<Self> {
        let Some(Answer::Status(status)) = effects.answer else { return None };
        Some(Status { status: At::nowhere(status.into()) })
    }
}
