//! `signal`: a signal is sent to a program of the guest.

use std::time::Duration;

use sansim_stage::Act;

use super::{StepAction, StepWord};
use crate::{
    check::{Announced, Checker},
    form::{table, words},
    value::At,
};

/// The command that sends the signal, by the exact name of the process (pkill(1)).
const SENDER: [&str; 3] = ["pkill", "--exact", "--signal"];
/// The maximum run time of [`SENDER`], in guest time.
const TIMEOUT: Duration = Duration::from_secs(30);

table! {
    /// Sends a signal to a program of the guest.
    pub(crate) struct Signal, "a step" {
        /// Sends a signal to a program of the guest, for instance to make a daemon crash, hang or
        /// resume. The exit code in `ran` is 1 if no such program is running.
        signal: SignalTable,
    }
}

table! {
    /// A signal and the program that gets it.
    struct SignalTable, "a table such as { to = \"multipathd\", is = \"KILL\" }" {
        /// The process name of the program, at most 15 characters.
        to: At<String>,
        /// The signal to send.
        is: SignalName,
    }
}

words! {
    /// A signal (signal(7)).
    enum SignalName {
        /// The program is terminated at once.
        Kill = "KILL",
        /// The program is asked to terminate.
        Term = "TERM",
        /// The program crashes, as after an invalid memory access.
        Segv = "SEGV",
        /// The program crashes, as after a failed assertion.
        Abrt = "ABRT",
        /// The program is stopped until it gets CONT.
        Stop = "STOP",
        /// The program resumes.
        Cont = "CONT",
        /// The program reloads its configuration, if it is a daemon that does so.
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
        // The comm of a process (proc_pid_comm(5)) has at most 15 characters.
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
