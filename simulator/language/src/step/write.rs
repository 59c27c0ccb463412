//! `write`: a file of the guest is written.

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{check::Checker, form::table, value::At};

table! {
    /// A file of the guest is written.
    pub(crate) struct Write, "a step" {
        /// A file of the guest is written.
        write: At<WriteTable>,
    }
}

table! {
    /// A file of the guest to write.
    struct WriteTable, "a table such as { path = \"/sys/…\", text = \"1\" }" {
        /// Its absolute path; placeholders as in `run`, but for kernel names such as `sda`.
        path: At<String>,
        /// Its new contents.
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
