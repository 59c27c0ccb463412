//! A user's terminal, connected to a program in the guest.
//!
//! While a terminal is connected, the guest's clock runs at the speed of the host's. Otherwise the
//! clock would jump from timer to timer while a shell waits for input. In exact time, it is enough
//! to delay the answer to the guest's question until the host's clock has reached the same time.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use sansim_lab::LabError;
use sansim_protocol::{Answer, Bytes, Call, Happening, TerminalSize};
use sansim_time::{Pacer, Time};
use tokio::sync::mpsc;

use crate::{Guest, Incoming, Stage, StageError, guest::unexpected};

/// The maximum interval between the guest's questions, so that the guest does not get ahead of the
/// host.
const BEAT: Duration = Duration::from_millis(20);
/// The time limit of calls about the terminal, which only pass something to the agent.
const HANDING_OVER: Duration = Duration::from_secs(30);

/// A user's terminal, to be connected to a program in the guest.
#[derive(Debug)]
pub struct Terminal {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The value of the environment variable TERM.
    pub term: String,
    /// The size of the terminal.
    pub size: TerminalSize,
    /// The channel for the user's input.
    pub input: mpsc::Receiver<Input>,
    /// The channel for the output of the program.
    pub output: mpsc::Sender<Vec<u8>>,
}

/// Input from a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Typed bytes, at most 4096.
    Typed(Vec<u8>),
    /// The terminal has a new size.
    Resized(TerminalSize),
    /// The terminal was closed. The program gets SIGHUP.
    HungUp,
}

/// A call that passes something to the agent.
type Handing = Pin<Box<dyn Future<Output = Result<Answer, LabError>> + Send>>;

impl Stage<'_> {
    /// Connects a terminal to a program in the guest until the program ends. Returns its exit code;
    /// `None` if it was killed. Everything else that happens meanwhile is passed to `each`.
    ///
    /// # Errors
    /// If the guest or the agent fails.
    pub async fn connect(
        &mut self,
        mut terminal: Terminal,
        mut each: impl FnMut(&mut Self, &Incoming),
    ) -> Result<Option<i32>, StageError> {
        let Terminal { argv, term, size, .. } = &mut terminal;
        let (argv, term, size) = (std::mem::take(argv), std::mem::take(term), *size);
        let (machine, guest) = (self.machine, self.guest.clone());
        let opening = guest.call(Call::OpenTerminal { argv, term, size }, HANDING_OVER);
        let number = match self.keeper.drive(opening).await?? {
            Answer::Terminal { terminal } => terminal,
            other => return Err(unexpected("OpenTerminal", &other).into()),
        };
        let mut pacer = Pacer::new(self.now(), Instant::now());
        let mut beat = Time::ZERO;
        let mut handing: Option<Handing> = None;
        loop {
            let now = self.now();
            if beat <= now {
                beat = now + BEAT;
                self.beat_at(beat);
            }
            let ahead = pacer.ahead(now, Instant::now());
            let incoming = tokio::select! {
                biased;
                Some(change) = self.wire.changes.recv() => Incoming::Change(change),
                Some(record) = self.wire.commands.recv() => Incoming::Command(record),
                event = self.events.recv() => match event {
                    None => return Err(machine.failed().await.into()),
                    Some(event) => match event.what {
                        Happening::Shown { terminal: of, bytes } if of == number => {
                            // The guest waits for a slow reader.
                            let shown = terminal.output.send(bytes.0).await.is_ok();
                            if !shown && handing.is_none() {
                                handing = Some(hand(&guest, number, Input::HungUp));
                            }
                            continue;
                        }
                        Happening::TerminalClosed { terminal: of, code } if of == number => {
                            return Ok(code);
                        }
                        _ => Incoming::Agent(event),
                    },
                },
                _ = machine.exited() => return Err(machine.failed().await.into()),
                // If the program does not read its input, the input is discarded, so that it can
                // still be hung up on.
                done = some(&mut handing) => {
                    if let Err(error @ LabError::GuestGone { .. }) = done {
                        return Err(error.into());
                    }
                    handing = None;
                    continue;
                }
                Some(input) = terminal.input.recv(), if handing.is_none() => {
                    handing = Some(hand(&guest, number, input));
                    continue;
                }
                // Input is delivered with the answer to the open question.
                () = tokio::time::sleep(ahead), if !ahead.is_zero() && handing.is_none() => continue,
                settled = self.keeper.settle() => {
                    settled?;
                    continue;
                }
            };
            each(self, &incoming);
        }
    }
}

/// Passes input from a terminal to the agent.
fn hand(guest: &Guest, terminal: u32, input: Input) -> Handing {
    let call = match input {
        Input::Typed(bytes) => Call::Type { terminal, bytes: Bytes(bytes) },
        Input::Resized(size) => Call::ResizeTerminal { terminal, size },
        Input::HungUp => Call::CloseTerminal { terminal },
    };
    let guest = guest.clone();
    Box::pin(async move { guest.call(call, HANDING_OVER).await })
}

/// Waits for an optional future; forever if there is none.
async fn some(future: &mut Option<Handing>) -> Result<Answer, LabError> {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
