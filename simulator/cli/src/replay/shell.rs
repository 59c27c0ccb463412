//! `sansim replay --shell`: a shell in the guest at a moment of the story.

use std::sync::{Arc, Mutex, PoisonError};

use sansim_lab::Image;
use sansim_run::{RunError, RunSpec, Terminal};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio_util::sync::CancellationToken as Cancel;

use super::{
    QUIET, Refused, no_directory,
    visit::{Purpose, Visitor, print},
};
use crate::{
    PASS, USAGE, show,
    tty::{self, Ends, Taken},
};

/// The shells to look for, best first, with their arguments for a terminal, and for input from a file or pipe.
const SHELLS: [Shell; 2] = [
    Shell { name: "bash", at_terminal: &["--norc"], piped: &["--norc", "--noediting"] },
    Shell { name: "sh", at_terminal: &[], piped: &[] },
];

#[derive(Debug, Clone, Copy)]
struct Shell {
    name: &'static str,
    at_terminal: &'static [&'static str],
    piped: &'static [&'static str],
}

impl Shell {
    fn argv(&self, at_terminal: bool) -> Vec<String> {
        let options = if at_terminal { self.at_terminal } else { self.piped };
        [&[self.name], options].concat().into_iter().map(str::to_owned).collect()
    }
}

/// Runs the story up to the moment of `--until`, and connects this terminal to a shell in the guest. The run
/// leaves no directory.
///
/// # Errors
/// When the guest has no shell, the story does not reach that moment, or the lab fails.
pub(super) async fn shell(mut spec: RunSpec, lab: &Lab, cancel: &Cancel) -> Result<u8, Refused> {
    let shell = find_shell(&spec.image)?;
    let place = tempfile::tempdir().map_err(no_directory)?;
    place.path().clone_into(&mut spec.out);
    let until = spec.until.as_ref().map(ToString::to_string).unwrap_or_default();
    let seat = Seat { shell, taken: Mutex::default() };
    let visitor = Visitor::new(show::plain(QUIET), Purpose::Sit(seat), cancel.clone());
    let (visitor, options) = (Arc::new(visitor), SuiteOptions { jobs: 1, fail_fast: false });
    let played = run_suite(vec![spec], options, lab, Arc::clone(&visitor) as _, cancel).await;
    visitor.leave();
    match played.results.into_iter().flatten().next() {
        None => Err(RunError::Interrupted.into()),
        Some(Err(RunError::Left { .. })) => {
            print("the shell has ended, and so has the replay");
            Ok(PASS)
        }
        Some(Err(error)) => Err(error.into()),
        Some(Ok(_)) => Err(Refused(USAGE, format!("the story did not reach {until}"))),
    }
}

fn find_shell(image: &Image) -> Result<Shell, Refused> {
    let there = SHELLS.into_iter().find(|shell| !image.lacks_program(shell.name));
    there.ok_or_else(|| {
        let why = format!(
            "the userland of {} has no shell: neither {} (choose another one with --userland)",
            image.name,
            SHELLS.map(|shell| shell.name).join(" nor ")
        );
        Refused(USAGE, why)
    })
}

/// The user's terminal, from the moment at which the story is stopped.
pub(super) struct Seat {
    shell: Shell,
    taken: Mutex<Option<Taken>>,
}

impl Seat {
    /// Connects the user's terminal.
    pub(super) fn take(&self) -> Terminal {
        let (Ends { input, output, term, size, at_terminal }, taken) = tty::take();
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Terminal { argv: self.shell.argv(at_terminal), term, size, input, output }
    }

    /// Restores the terminal's settings.
    pub(super) fn leave(&self) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(taken) = taken {
            taken.leave();
        }
    }
}
