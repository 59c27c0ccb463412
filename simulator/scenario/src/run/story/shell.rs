//! A story that is left for a shell in its guest.
//!
//! Time goes on again meanwhile, as fast as the host's: a shell that waits for somebody would else have the
//! guest's clock jump from timer to timer. In exact time that takes no more than to let the guest's
//! question wait until the host's clock has come there, too.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use sansim_lab::{LabError, Machine};
use sansim_protocol::{Answer, Bytes, Call, Happening, TerminalSize};
use sansim_time::Time;
use tokio::sync::mpsc;

use super::{Incoming, Story};
use crate::run::{RunError, guest::unexpected};

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

impl Story<'_, '_> {
    /// Connects a terminal with the guest until its program has ended. Steps and expectations wait
    /// meanwhile; there is no story any more.
    ///
    /// # Errors
    /// `Left`, when all went well; others as [`Story::tell`].
    pub(super) async fn leave_for(
        &mut self,
        machine: &Machine,
        mut terminal: Terminal,
    ) -> RunError {
        match self.connect(machine, &mut terminal).await {
            Ok(code) => RunError::Left { code },
            Err(error) => error,
        }
    }

    async fn connect(
        &mut self,
        machine: &Machine,
        terminal: &mut Terminal,
    ) -> Result<Option<i32>, RunError> {
        let Terminal { argv, term, size, .. } = terminal;
        let (argv, term, size) = (std::mem::take(argv), std::mem::take(term), *size);
        let guest = self.stage.guest.clone();
        let opening = guest.call(Call::OpenTerminal { argv, term, size }, HANDING_OVER);
        let number = match self.keeper.drive(opening).await?? {
            Answer::Terminal { terminal } => terminal,
            other => return Err(unexpected("OpenTerminal", &other).into()),
        };
        let mut pace = Pace::from(self.stage.clock.now());
        let mut handing: Option<Handing> = None;
        loop {
            let now = self.stage.clock.now();
            self.stage.clock.call_at(now + BEAT, Box::new(|| ()));
            let ahead = pace.ahead(now);
            let incoming = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(RunError::Interrupted),
                Some(change) = self.wire.changes.recv() => Incoming::Change(change),
                Some(record) = self.wire.commands.recv() => Incoming::Command(record),
                event = self.events.recv() => match event.as_ref().map(|event| &event.what) {
                    None => return Err(self.guest_gone(machine).await),
                    Some(Happening::Shown { terminal: of, bytes }) if *of == number => {
                        // The guest waits for somebody who reads slowly; who has gone away hangs up, too.
                        tokio::select! {
                            _ = terminal.output.send(bytes.0.clone()) => {}
                            () = self.cancel.cancelled() => {}
                        }
                        continue;
                    }
                    Some(Happening::TerminalClosed { terminal: of, code }) if *of == number => {
                        return Ok(*code);
                    }
                    Some(_) => Incoming::Agent(event),
                },
                _ = machine.exited() => return Err(self.guest_gone(machine).await),
                // A program that does not read has what is typed thrown away, and can be hung up on.
                done = some(&mut handing) => {
                    if let Err(error @ LabError::GuestGone { .. }) = done {
                        return Err(error.into());
                    }
                    handing = None;
                    continue;
                }
                Some(input) = terminal.input.recv(), if handing.is_none() => {
                    let (guest, call) = (guest.clone(), call_of(number, input));
                    handing = Some(Box::pin(async move { guest.call(call, HANDING_OVER).await }));
                    continue;
                }
                // Whatever is handed over comes with the answer to the open question.
                () = tokio::time::sleep(ahead), if !ahead.is_zero() && handing.is_none() => continue,
                settled = self.keeper.settle() => {
                    settled?;
                    pace.has_been_at(self.stage.clock.now());
                    continue;
                }
            };
            self.take(incoming);
        }
    }
}

fn call_of(terminal: u32, input: Input) -> Call {
    match input {
        Input::Typed(bytes) => Call::Type { terminal, bytes: Bytes(bytes) },
        Input::Resized(size) => Call::ResizeTerminal { terminal, size },
        Input::HungUp => Call::CloseTerminal { terminal },
    }
}

/// Waits for a future that there may be.
async fn some(future: &mut Option<Handing>) -> Result<Answer, LabError> {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// How a guest's clock goes along with the host's.
struct Pace {
    guest: Time,
    host: Instant,
}

impl Pace {
    fn from(guest: Time) -> Self {
        Pace { guest, host: Instant::now() }
    }

    /// How long the host needs to come to where the guest is.
    fn ahead(&self, guest: Time) -> Duration {
        guest.since(self.guest).saturating_sub(self.host.elapsed())
    }

    /// A guest that computes may fall behind. It does not make up for it later.
    fn has_been_at(&mut self, guest: Time) {
        if self.ahead(guest).is_zero() {
            *self = Pace::from(guest);
        }
    }
}
