//! `sansim replay --shell`: a shell in the guest at a moment of the story.

use std::{
    io::{IsTerminal, Read, Write, stdin, stdout},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use sansim_lab::{Image, TerminalSize};
use sansim_run::{Input, RunError, RunSpec, Terminal};
use sansim_suite::{Lab, SuiteOptions, run_suite};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken as Cancel;

use super::{
    QUIET, Refused, no_directory,
    visit::{Purpose, Visitor, print},
};
use crate::{PASS, USAGE, show};

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

/// Ctrl-]: leaves the shell even if the guest does not respond.
const LEAVE: u8 = 0x1d;
/// Ctrl-D: end of input, which ends a shell.
const END: u8 = 0x04;
/// Bytes per read, and the number of pieces that may be queued in each direction.
const PIECE: usize = 1024;
const WAITING: usize = 64;

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

/// A terminal in use.
struct Taken {
    /// Thread that prints the guest's output, to the last byte.
    showing: thread::JoinHandle<()>,
    raw: Option<Raw>,
}

impl Seat {
    /// Connects the user's terminal.
    pub(super) fn take(&self) -> Terminal {
        let raw = Raw::begin();
        let (typed, input) = mpsc::channel(WAITING);
        let (output, shown) = mpsc::channel(WAITING);
        let term = match &raw {
            Some(_) => std::env::var("TERM").unwrap_or_else(|_| "xterm".to_owned()),
            None => "dumb".to_owned(),
        };
        follow_size(typed.clone());
        let at_terminal = raw.is_some();
        thread::spawn(move || type_all(&typed, at_terminal));
        let showing = thread::spawn(move || show_all(shown));
        let taken = Taken { showing, raw };
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Terminal { argv: self.shell.argv(at_terminal), term, size: size(), input, output }
    }

    /// Restores the terminal's settings.
    pub(super) fn leave(&self) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Taken { showing, raw }) = taken {
            let _ = showing.join();
            drop(raw);
        }
    }
}

/// Passes on the input until its end. The end of a file or pipe is passed on as Ctrl-D, so that the shell
/// reads all of the input first.
fn type_all(typed: &mpsc::Sender<Input>, at_terminal: bool) {
    let mut buffer = [0; PIECE];
    let mut stdin = stdin().lock();
    while let Ok(len @ 1..) = stdin.read(&mut buffer) {
        let piece = &buffer[..len];
        let left = piece.iter().position(|byte| *byte == LEAVE).filter(|_| at_terminal);
        let piece = &piece[..left.unwrap_or(len)];
        if typed.blocking_send(Input::Typed(piece.to_vec())).is_err() {
            return;
        }
        if left.is_some() {
            break;
        }
    }
    // If the shell has ended already, nothing receives this.
    let last = if at_terminal { Input::HungUp } else { Input::Typed(vec![END]) };
    let _ = typed.blocking_send(last);
}

fn show_all(mut shown: mpsc::Receiver<Vec<u8>>) {
    let mut stdout = stdout().lock();
    while let Some(bytes) = shown.blocking_recv() {
        if stdout.write_all(&bytes).and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

/// Passes on each change of the window size.
fn follow_size(typed: mpsc::Sender<Input>) {
    let Ok(mut changed) = signal(SignalKind::window_change()) else { return };
    tokio::spawn(async move {
        while changed.recv().await.is_some() {
            if typed.send(Input::Resized(size())).await.is_err() {
                return;
            }
        }
    });
}

fn size() -> TerminalSize {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
            TerminalSize { rows: size.ws_row, columns: size.ws_col }
        }
        _ => TerminalSize { rows: 24, columns: 80 },
    }
}

/// Puts the terminal into raw mode, until this is dropped.
struct Raw(Termios);

impl Raw {
    /// `None` if standard input is not a terminal.
    fn begin() -> Option<Raw> {
        if !stdin().is_terminal() {
            return None;
        }
        let before = tcgetattr(stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
