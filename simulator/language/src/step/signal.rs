//! `signal`: a program of the guest is sent a signal.

use std::time::Duration;

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::{Announced, Checker},
    form::{table, words},
    value::At,
};

/// The program of the userland that sends it, by the exact name of the process (pkill(1)).
const SENDER: [&str; 3] = ["pkill", "--exact", "--signal"];
/// How long that may take, in guest time.
const TIMEOUT: Duration = Duration::from_secs(30);

table! {
    /// A program of the guest is sent a signal.
    pub(crate) struct Signal, "a step" {
        /// A program of the guest is sent a signal: a daemon crashes, hangs or resumes. The exit code of
        /// `ran` is 1 if no such program runs.
        signal: SignalTable,
    }
}

table! {
    /// A signal to a program of the guest.
    struct SignalTable, "a table such as { to = \"multipathd\", is = \"KILL\" }" {
        /// The name of its process, at most 15 characters.
        to: At<String>,
        /// The signal.
        is: SignalName,
    }
}

words! {
    /// A signal (signal(7)).
    enum SignalName {
        /// The program ends at once.
        Kill = "KILL",
        /// The program is asked to end.
        Term = "TERM",
        /// The program crashes, as by a bad access to memory.
        Segv = "SEGV",
        /// The program crashes, as by a failed assertion.
        Abrt = "ABRT",
        /// The program hangs until it is sent CONT.
        Stop = "STOP",
        /// The program resumes.
        Cont = "CONT",
        /// A daemon reads its configuration anew.
        Hup = "HUP",
    }
}

impl StepWord for Signal {
    const EXAMPLE: &'static str = r#"signal = { to = "multipathd", is = "STOP" }"#;

    fn announce(&self) -> Announced {
        Announced::Program
    }

    fn check(&self, checker: &mut Checker<'_>) -> StepAction {
        let At { value: to, span } = &self.signal.to;
        let named = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        // comm of proc_pid_comm(5) has no more.
        if !(1..=15).contains(&to.len()) || !to.chars().all(named) || to.starts_with('-') {
            let help = "write for instance \"multipathd\"";
            checker.refuse(span, "this cannot be the name of a process", help);
        }
        let words = SENDER.into_iter().chain([self.signal.is.word(), to]);
        let argv = words.map(str::to_owned).collect();
        StepAction::Act(Act::Run { argv, timeout: TIMEOUT })
    }

    fn of(action: &StepAction) -> Option<Self> {
        let StepAction::Act(Act::Run { argv, timeout: TIMEOUT }) = action else { return None };
        let [sender @ .., signal, to] = &argv[..] else { return None };
        let is = SignalName::WORDS.iter().find(|(word, _)| word == signal);
        let (_, is) = is.filter(|_| sender == SENDER)?;
        Some(Signal { signal: SignalTable { to: At::nowhere(to.clone()), is: *is } })
    }

    fn words(action: &StepAction) -> Option<String> {
        let Signal { signal } = Self::of(action)?;
        Some(format!("send SIG{} to {}", signal.is.word(), signal.to.value))
    }
}
