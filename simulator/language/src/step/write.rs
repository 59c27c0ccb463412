//! `write`: text is written to a file of the guest.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{check::Checker, form::table, value::At};

table! {
    /// Writes text to a file of the guest.
    pub(crate) struct Write, "a step" {
        /// Writes text to a file of the guest, where its programs see it. The old contents are
        /// replaced; missing directories are created. /etc, /run, /tmp, /var/lib, /sys and /proc can
        /// be written.
        write: At<WriteTable>,
    }
}

table! {
    /// A file and its new contents.
    struct WriteTable, "a table such as { path = \"/sys/…\", text = \"1\" }" {
        /// The absolute path of the file, with the placeholders of `run`; here they are replaced by
        /// kernel names such as `sda`.
        path: At<String>,
        /// The text to write.
        text: String,
    }
}

impl StepWord for Write {
    const EXAMPLE: &'static str =
        r#"write = { path = "/sys/block/{disk:A0}/device/state", text = "offline\n" }"#;

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let WriteTable { path, text } = &self.write.value;
        if !path.starts_with('/') {
            checker.refuse(&path.span, "this is no absolute path", "begin with `/`");
        }
        checker.placeholders(&path.value, &path.span);
        StepAction::Act(Act::Write { path: path.value.clone(), text: text.clone() })
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::Write { path, text }) = action else { return None };
        let file = WriteTable { path: At::nowhere(path.clone()), text: text.clone() };
        Some(Write { write: At::nowhere(file) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::Write { path, text }) = action else { return None };
        Some(format!("write {text:?} to {path}"))
    }
}
