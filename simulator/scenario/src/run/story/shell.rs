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
use sansim_time::{Pacer, Time};
use tokio::sync::mpsc;

use super::{Incoming, Story};
use crate::run::{
    RunError,
    guest::{Guest, unexpected},
};

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
        let mut pacer = Pacer::new(self.stage.clock.now(), Instant::now());
        let mut beat = Time::ZERO;
        let mut handing: Option<Handing> = None;
        loop {
            let now = self.stage.clock.now();
            if beat <= now {
                beat = now + BEAT;
                self.stage.clock.call_at(beat, Box::new(|| ()));
            }
            let ahead = pacer.ahead(now, Instant::now());
            let incoming = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(RunError::Interrupted),
                Some(change) = self.wire.changes.recv() => Incoming::Change(change),
                Some(record) = self.wire.commands.recv() => Incoming::Command(record),
                event = self.events.recv() => match event.as_ref().map(|event| &event.what) {
                    None => return Err(self.guest_gone(machine).await),
                    Some(Happening::Shown { terminal: of, bytes }) if *of == number => {
                        // The guest waits for somebody who reads slowly.
                        let shown = tokio::select! {
                            shown = terminal.output.send(bytes.0.clone()) => shown.is_ok(),
                            () = self.cancel.cancelled() => true,
                        };
                        if !shown && handing.is_none() {
                            handing = Some(hand(&guest, number, Input::HungUp));
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
            self.take(incoming);
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
