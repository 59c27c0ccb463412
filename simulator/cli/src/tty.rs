//! The user's terminal, connected to a program in a guest.

use std::{
    io::{IsTerminal, Read, Write, stdin, stdout},
    thread,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use sansim_lab::TerminalSize;
use sansim_stage::Input;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// Ctrl-]: leaves the program even if the guest does not respond.
const LEAVE: u8 = 0x1d;
/// Ctrl-D: end of input, which ends a shell.
const END: u8 = 0x04;
/// Bytes per read, and the number of pieces that may be queued in each direction.
const PIECE: usize = 1024;
const WAITING: usize = 64;

/// What a program is connected to.
pub(crate) struct Ends {
    /// What is typed.
    pub(crate) input: mpsc::Receiver<Input>,
    /// What is shown.
    pub(crate) output: mpsc::Sender<Vec<u8>>,
    /// The value for `$TERM`.
    pub(crate) term: String,
    pub(crate) size: TerminalSize,
    /// Whether a user types, and not a file or a pipe.
    pub(crate) at_terminal: bool,
}

/// A terminal in use.
pub(crate) struct Taken {
    /// Thread that prints the guest's output, to the last byte.
    showing: thread::JoinHandle<()>,
    raw: Option<Raw>,
}

/// Takes the user's terminal, in raw mode. Where input is a file or a pipe, takes that.
pub(crate) fn take() -> (Ends, Taken) {
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
    (Ends { input, output, term, size: size(), at_terminal }, Taken { showing, raw })
}

impl Taken {
    /// Waits until everything has been printed, and restores the terminal's settings.
    pub(crate) fn leave(self) {
        let _ = self.showing.join();
        drop(self.raw);
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
