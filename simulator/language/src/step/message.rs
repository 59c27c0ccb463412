//! `message`: a message is sent to a multipath map.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{Diagnostic, check::Checker, form::table, near, value::At};

/// The messages that drivers/md/dm-mpath.c:multipath_message accepts.
const MESSAGES: [&str; 7] = [
    "queue_if_no_path",
    "fail_if_no_path",
    "fail_path",
    "reinstate_path",
    "disable_group",
    "enable_group",
    "switch_group",
];

table! {
    /// Sends a message to a multipath map.
    pub(crate) struct Message, "a step" {
        /// Sends a message to the multipath map, such as "switch_group 2".
        message: At<String>,
        /// The LUN whose map gets the `message` or `reinstate`, or whose workload is stopped.
        /// Default: the workload's.
        lun: Option<At<u64>>,
    }
}

impl StepWord for Message {
    const EXAMPLE: &'static str = r#"message = "switch_group 2""#;

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let word = self.message.split_whitespace().next().unwrap_or_default();
        if !MESSAGES.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            let warning = format!("dm-multipath may not know the message {word:?}");
            let help = near::help(word, &MESSAGES);
            checker.report(&self.message.span, Diagnostic::warning(warning).help(help));
        }
        let lun = checker.lun_or_main(self.lun.as_ref());
        StepAction::Act(Act::Message { lun, text: self.message.value.clone() })
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::Message { lun, text }) = action else { return None };
        Some(Message { message: At::nowhere(text.clone()), lun: Some((*lun).into()) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::Message { lun, text }) = action else { return None };
        Some(format!("send {text:?} to the map of LUN {lun}"))
    }
}
