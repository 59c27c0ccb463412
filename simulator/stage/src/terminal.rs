//! Users' terminals, connected to programs in the guest.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use sansim_lab::LabError;
use sansim_protocol::{Answer, Bytes, Call, TerminalSize};
use tokio::sync::mpsc;

use crate::{Guest, StageError, guest::unexpected};

/// The time limit of calls about a terminal, which only pass something to the agent.
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
    /// The channel for the output of the program. The guest waits for a slow reader.
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

/// A terminal that is connected.
struct Connected {
    number: u32,
    input: mpsc::Receiver<Input>,
    output: mpsc::Sender<Vec<u8>>,
    /// The input that the agent has not confirmed. Further input waits.
    handing: Option<Handing>,
}

/// The terminals that are connected to the guest.
pub(crate) struct Terminals {
    guest: Guest,
    connected: Vec<Connected>,
    /// Output that its reader has no room for yet, with the number of its terminal.
    unshown: Option<(u32, Vec<u8>)>,
}

impl Terminals {
    pub(crate) fn new(guest: Guest) -> Self {
        Terminals { guest, connected: Vec::new(), unshown: None }
    }

    /// Starts the program of a terminal. Returns the agent's number for the terminal, with which it
    /// is [connected](Terminals::connect).
    pub(crate) fn open(
        &self,
        terminal: &mut Terminal,
    ) -> impl Future<Output = Result<u32, StageError>> + use<> {
        let (guest, size) = (self.guest.clone(), terminal.size);
        let argv = std::mem::take(&mut terminal.argv);
        let term = std::mem::take(&mut terminal.term);
        async move {
            match guest.call(Call::OpenTerminal { argv, term, size }, HANDING_OVER).await? {
                Answer::Terminal { terminal } => Ok(terminal),
                other => Err(unexpected("OpenTerminal", &other).into()),
            }
        }
    }

    /// Passes input and output of the terminal on from now on.
    pub(crate) fn connect(&mut self, number: u32, terminal: Terminal) {
        let Terminal { input, output, .. } = terminal;
        self.connected.push(Connected { number, input, output, handing: None });
    }

    /// Keeps output of a program to be [shown](Terminals::show) next.
    pub(crate) fn keep(&mut self, number: u32, bytes: Vec<u8>) {
        self.unshown = Some((number, bytes));
    }

    /// Shows the output that was kept, when its reader has room for it. A user who is gone is
    /// reported to the guest. Cancel safe.
    pub(crate) async fn show(&mut self) {
        let Some((number, bytes)) = &mut self.unshown else { return };
        let terminal = self.connected.iter_mut().find(|connected| connected.number == *number);
        if let Some(connected) = terminal {
            match connected.output.reserve().await {
                Ok(room) => room.send(std::mem::take(bytes)),
                Err(_) if connected.handing.is_none() => {
                    connected.handing = Some(hand(&self.guest, *number, Input::HungUp));
                }
                Err(_) => {}
            }
        }
        self.unshown = None;
    }

    /// Forgets a terminal whose program has ended. Returns whether it was connected.
    pub(crate) fn close(&mut self, number: u32) -> bool {
        let before = self.connected.len();
        self.connected.retain(|connected| connected.number != number);
        self.connected.len() < before
    }

    /// Whether input is on its way to the guest.
    pub(crate) fn are_handing(&self) -> bool {
        self.connected.iter().any(|connected| connected.handing.is_some())
    }

    /// Passes input to the guest. Returns when something was passed or confirmed. Cancel safe.
    ///
    /// # Errors
    /// If the guest is gone.
    pub(crate) async fn pass(&mut self) -> Result<(), LabError> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), LabError>> {
        for connected in &mut self.connected {
            if let Some(handing) = &mut connected.handing {
                let Poll::Ready(done) = handing.as_mut().poll(context) else { continue };
                connected.handing = None;
                // If the program does not read its input, the input is discarded, so that it can
                // still be hung up on.
                return Poll::Ready(match done {
                    Err(error @ LabError::GuestGone { .. }) => Err(error),
                    _ => Ok(()),
                });
            }
            if let Poll::Ready(Some(input)) = connected.input.poll_recv(context) {
                connected.handing = Some(hand(&self.guest, connected.number, input));
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
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
