//! Somebody's terminal, connected with a program in the guest.
//!
//! Time goes on again meanwhile, as fast as the host's: a shell that waits for somebody would else have the
//! guest's clock jump from timer to timer. In exact time that takes no more than to let the guest's
//! question wait until the host's clock has come there, too.

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

/// How often the guest is to ask at least, so that it does not get ahead of the host.
const BEAT: Duration = Duration::from_millis(20);
/// How long a call about the terminal may take, which only hands something over.
const HANDING_OVER: Duration = Duration::from_secs(30);

/// Somebody's terminal, to be connected with a program in the guest.
#[derive(Debug)]
pub struct Terminal {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The value of TERM.
    pub term: String,
    /// Its size.
    pub size: TerminalSize,
    /// What is done at it.
    pub input: mpsc::Receiver<Input>,
    /// Takes what it is to show.
    pub output: mpsc::Sender<Vec<u8>>,
}

/// What is done at a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody types, at most 4096 bytes.
    Typed(Vec<u8>),
    /// It has another size.
    Resized(TerminalSize),
    /// Nobody is there any more: the program is sent SIGHUP.
    HungUp,
}

/// A call that hands something over to the agent.
type Handing = Pin<Box<dyn Future<Output = Result<Answer, LabError>> + Send>>;

impl Stage<'_> {
    /// Connects a terminal with the guest until its program has ended, whose exit code is returned; none if it
    /// was killed. Everything else that happens meanwhile is told to `each`.
    ///
    /// # Errors
    /// When the guest or the agent fails.
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
                            // The guest waits for somebody who reads slowly.
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
                // A program that does not read has what is typed thrown away, and can be hung up on.
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
                // Whatever is handed over comes with the answer to the open question.
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

/// Hands over to the agent what was done at a terminal.
fn hand(guest: &Guest, terminal: u32, input: Input) -> Handing {
    let call = match input {
        Input::Typed(bytes) => Call::Type { terminal, bytes: Bytes(bytes) },
        Input::Resized(size) => Call::ResizeTerminal { terminal, size },
        Input::HungUp => Call::CloseTerminal { terminal },
    };
    let guest = guest.clone();
    Box::pin(async move { guest.call(call, HANDING_OVER).await })
}

/// Waits for a future that there may be.
async fn some(future: &mut Option<Handing>) -> Result<Answer, LabError> {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
