//! The way to a lab that runs, for everybody who asks it: the HTTP API, and tests.

use std::time::Duration;

use sansim_protocol::TerminalSize;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    api::{
        Added, Candidate, Did, Expected, Given, IoChange, Message, Past, Ran, Refused, Saved,
        Status, Terminal, TimeChange, TourChange, Why,
    },
    news::News,
};

/// The number of questions that may wait.
const WAITING: usize = 64;

/// Where the answer to a question goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, Refused>>;

/// A question to a lab.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The state.
    Status(Answer<Status>),
    /// Acts, which are done at one time.
    Act(Vec<Given>, Answer<Vec<Did>>),
    /// A further fault rule.
    AddFault(Given, Answer<Added>),
    /// An added fault rule is to go.
    RemoveFault(String, Answer<()>),
    /// Everything is to be as it was at the start.
    Reset(Answer<Vec<Did>>),
    /// Acts wait from now on.
    Hold(Answer<()>),
    /// The acts that wait are done, at one time.
    Go(Answer<Vec<Did>>),
    /// An expectation, and how long to wait for it at most, in story time.
    Wait(Given, Duration, Answer<Expected>),
    /// A program is to run in the guest, at most this long.
    Exec(Vec<String>, Duration, Answer<Ran>),
    /// The text of `multipath -ll`, and when it was asked for, in seconds of story time.
    Multipath(Answer<(f64, String)>),
    /// Up to this many bytes of a file of the guest.
    Pull(String, Answer<Vec<u8>>),
    /// A file of the guest.
    Push(String, Vec<u8>, Answer<()>),
    /// The workload.
    Io(IoChange, Answer<Vec<Did>>),
    /// The clock.
    Time(TimeChange, Answer<f64>),
    /// The capture: on or off. Gives the file.
    Capture(bool, Answer<String>),
    /// The end of the guest's console, at most 256 KiB.
    Console(Answer<String>),
    /// The story so far as a scenario.
    Save(Answer<Saved>),
    /// The guided tour.
    Tour(TourChange, Answer<()>),
    /// A program in a new terminal; none is the shell.
    Open(Vec<String>, String, TerminalSize, Answer<Terminal>),
    /// Candidates for the last of these words.
    Complete(Vec<String>, Answer<Vec<Candidate>>),
    /// The end.
    Down(Answer<()>),
}

impl Ask {
    /// Answers with a refusal.
    pub(crate) fn refuse(self, refused: Refused) {
        match self {
            Ask::Status(answer) => drop(answer.send(Err(refused))),
            Ask::Act(_, answer) => drop(answer.send(Err(refused))),
            Ask::AddFault(_, answer) => drop(answer.send(Err(refused))),
            Ask::RemoveFault(_, answer) => drop(answer.send(Err(refused))),
            Ask::Reset(answer) => drop(answer.send(Err(refused))),
            Ask::Hold(answer) => drop(answer.send(Err(refused))),
            Ask::Go(answer) => drop(answer.send(Err(refused))),
            Ask::Wait(_, _, answer) => drop(answer.send(Err(refused))),
            Ask::Exec(_, _, answer) => drop(answer.send(Err(refused))),
            Ask::Multipath(answer) => drop(answer.send(Err(refused))),
            Ask::Pull(_, answer) => drop(answer.send(Err(refused))),
            Ask::Push(_, _, answer) => drop(answer.send(Err(refused))),
            Ask::Io(_, answer) => drop(answer.send(Err(refused))),
            Ask::Time(_, answer) => drop(answer.send(Err(refused))),
            Ask::Capture(_, answer) => drop(answer.send(Err(refused))),
            Ask::Console(answer) => drop(answer.send(Err(refused))),
            Ask::Save(answer) => drop(answer.send(Err(refused))),
            Ask::Tour(_, answer) => drop(answer.send(Err(refused))),
            Ask::Open(_, _, _, answer) => drop(answer.send(Err(refused))),
            Ask::Complete(_, answer) => drop(answer.send(Err(refused))),
            Ask::Down(answer) => drop(answer.send(Err(refused))),
        }
    }
}

/// The way to a lab that runs. Cheap to clone; usable from any thread.
#[derive(Debug, Clone)]
pub struct Handle {
    asks: mpsc::Sender<Ask>,
    news: News,
}

/// The lab's end of a [`Handle`].
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) news: News,
}

/// Makes a handle and the lab's end of it.
pub(crate) fn handle() -> (Handle, Desk) {
    let (asks, received) = mpsc::channel(WAITING);
    let news = News::new();
    (Handle { asks, news: news.clone() }, Desk { asks: received, news })
}

/// The methods ask the lab, and give its answer.
///
/// # Errors
/// All of them: what the lab refuses, and [`Why::Over`] if it is gone.
impl Handle {
    /// The messages from now on. A follower that is too slow gets
    /// [`Lagged`](broadcast::error::RecvError::Lagged) with the number of those it has lost.
    pub fn follow(&self) -> broadcast::Receiver<Message> {
        self.news.follow()
    }

    /// The last minutes, and the messages after them.
    pub fn follow_from_the_past(&self) -> (Past, broadcast::Receiver<Message>) {
        self.news.follow_from_the_past()
    }

    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, Refused> {
        let over = || Refused::new(Why::Over, "the lab has ended");
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| over())?;
        answered.await.map_err(|_| over())?
    }
}

macro_rules! questions {
    ($($(#[doc = $doc:literal])+ $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $ask:ident;)*) => {
        #[allow(clippy::missing_errors_doc, reason = "see above")]
        impl Handle {
            $($(#[doc = $doc])+
            pub async fn $name(&self $(, $arg: $type)*) -> Result<$answer, Refused> {
                self.ask(|answer| Ask::$ask($($arg,)* answer)).await
            })*
        }
    };
}

questions! {
    /// The state of the lab.
    status() -> Status = Status;
    /// Does steps, all at one time. Returns when they have ended in the guest; while acts are
    /// held, at once, with `pending`.
    act(steps: Vec<Given>) -> Vec<Did> = Act;
    /// Adds a fault rule.
    add_fault(rule: Given) -> Added = AddFault;
    /// Removes a fault rule that was added.
    remove_fault(name: String) -> () = RemoveFault;
    /// Heals everything: undoes what is broken, removes the added fault rules.
    reset() -> Vec<Did> = Reset;
    /// Holds acts until [`Handle::go`].
    hold() -> () = Hold;
    /// Does the held acts, all at one time.
    go() -> Vec<Did> = Go;
    /// Waits until an expectation holds, at most this long in story time.
    wait(expectation: Given, at_most: Duration) -> Expected = Wait;
    /// Runs a program in the guest, at most this long in story time. It is not part of the story.
    exec(argv: Vec<String>, at_most: Duration) -> Ran = Exec;
    /// The output of `multipath -ll`, at most a second old, with its story time in seconds.
    multipath() -> (f64, String) = Multipath;
    /// Reads a file of the guest.
    pull(path: String) -> Vec<u8> = Pull;
    /// Writes a file of the guest.
    push(path: String, contents: Vec<u8>) -> () = Push;
    /// Starts, stops or replaces a workload.
    io(change: IoChange) -> Vec<Did> = Io;
    /// Stops, continues or skips time; returns the story time in seconds.
    time(change: TimeChange) -> f64 = Time;
    /// Starts or stops the capture; returns the path of its file.
    capture(on: bool) -> String = Capture;
    /// The end of the guest's console.
    console() -> String = Console;
    /// The story so far, as a scenario file.
    save() -> Saved = Save;
    /// Changes the guided tour.
    tour(change: TourChange) -> () = Tour;
    /// Starts a program in a new terminal: `argv`, `$TERM`, size. The shell, if `argv` is empty.
    open(argv: Vec<String>, term: String, size: TerminalSize) -> Terminal = Open;
    /// Candidates for the last of these words of `sansim ctl`.
    complete(words: Vec<String>) -> Vec<Candidate> = Complete;
    /// Ends the lab.
    down() -> () = Down;
}
