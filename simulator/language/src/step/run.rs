//! `run`: a program runs in the guest.

use std::time::Duration;

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::{Announced, Checker},
    form::{Name, name, table},
    value::{At, TimeSpan},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

table! {
    /// Runs a program in the guest.
    pub(crate) struct Run, "a step" {
        /// Runs a program in the guest, without a shell. The placeholders `{map}`, `{map:lun1}`,
        /// `{disk:A0}` and `{disk:hba0:A0:lun1}` are replaced by device names; `{{` is a brace.
        run: At<Vec<String>>,
        /// The maximum run time of the program. Default: "30s".
        timeout: Option<Name<TimeSpan>>,
    }
}

impl StepWord for Run {
    const EXAMPLE: &'static str = r#"run = ["sg_turs", "{disk:A0}"]"#;

    fn announce(&self) -> Announced {
        Announced::Program
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let argv = &self.run;
        if argv.first().is_none_or(String::is_empty) {
            let help = "write for instance [\"sg_turs\", \"{disk:A0}\"]";
            checker.refuse(&argv.span, "no program is named here", help);
        }
        for word in &argv.value {
            checker.placeholders(word, &argv.span);
        }
        let timeout = self.timeout.as_ref().map_or(DEFAULT_TIMEOUT, |timeout| timeout.0.0);
        StepAction::Act(Act::Run { argv: argv.value.clone(), timeout })
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::Run { argv, timeout }) = action else { return None };
        Some(Run { run: At::nowhere(argv.clone()), timeout: Some(name(TimeSpan(*timeout))) })
    }

    fn words(action: &StepAction) -> Option<String> {
        let StepAction::Act(Act::Run { argv, .. }) = action else { return None };
        Some(format!("run {}", argv.join(" ")))
    }
}
