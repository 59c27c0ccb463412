//! Work in the guest that is no act of the story: programs, files, the maps as multipath shows them.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use sansim_lab::LabError;
use sansim_protocol::{Answer as AgentAnswer, Bytes, Call, USERLAND};
use sansim_stage::Guest;

use super::running::Running;
use crate::{
    api::{Ran, Refused, Why},
    handle::Answer,
};

/// How long an answer of `multipath -ll` is fresh, in host time.
const FRESH: Duration = Duration::from_secs(1);
/// The time limit of `multipath -ll`, in story time.
const MULTIPATH: Duration = Duration::from_secs(20);
/// What the agent may take in addition to the time of a program.
const CALL: Duration = Duration::from_secs(30);
/// The bytes of a file that travel at once.
const PART: usize = 128 << 10;
/// The largest file that is read or written, in bytes.
const MOST: usize = 16 << 20;
/// The bytes of the console that are shown.
const CONSOLE: u64 = 256 << 10;

/// Work in progress.
#[derive(Default)]
pub(super) struct Chores {
    open: FuturesUnordered<Pin<Box<dyn Future<Output = Done> + Send>>>,
    /// The last answer of `multipath -ll`.
    last: Option<Shown>,
    /// Those who wait for the next.
    waiting: Vec<Answer<(f64, String)>>,
}

/// What `multipath -ll` has shown.
struct Shown {
    t: f64,
    text: String,
    at: Instant,
}

/// A chore that is done.
pub(super) enum Done {
    /// Who asked has the answer.
    Answered,
    /// `multipath -ll`, asked at this story time, in seconds.
    Multipath(f64, Result<String, Refused>),
}

impl Chores {
    /// The next chore that is done; never, if there is none.
    pub(super) async fn next(&mut self) -> Done {
        match self.open.next().await {
            Some(done) => done,
            None => std::future::pending().await,
        }
    }

    /// Passes on what a chore has brought.
    pub(super) fn finish(&mut self, done: Done) {
        let Done::Multipath(t, brought) = done else { return };
        for answer in self.waiting.drain(..) {
            let _ = answer.send(brought.clone().map(|text| (t, text)));
        }
        if let Ok(text) = brought {
            self.last = Some(Shown { t, text, at: Instant::now() });
        }
    }

    fn begin(&mut self, chore: impl Future<Output = Done> + Send + 'static) {
        self.open.push(Box::pin(chore));
    }

    /// Does a chore and answers who asked for it.
    fn answer<T: Send + 'static>(
        &mut self,
        answer: Answer<T>,
        chore: impl Future<Output = Result<T, Refused>> + Send + 'static,
    ) {
        self.begin(async move {
            let _ = answer.send(chore.await);
            Done::Answered
        });
    }
}

impl Running<'_> {
    /// Runs a program, for at most this long in story time.
    pub(super) fn exec(&mut self, argv: &[String], at_most: Duration, answer: Answer<Ran>) {
        let ready = self
            .must_run()
            .and_then(|()| self.stage.filled(argv).map_err(|why| Refused::new(Why::Invalid, why)));
        match ready {
            Ok(argv) if !argv.is_empty() => {
                self.pumps.used = true;
                let guest = self.stage.guest().clone();
                self.chores.answer(answer, run(guest, argv, at_most));
            }
            Ok(_) => drop(answer.send(Err(Refused::new(Why::Invalid, "name a program to run")))),
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    /// Shows the maps as `multipath -ll` does. While the guest is paused, as it last did.
    pub(super) fn multipath(&mut self, answer: Answer<(f64, String)>) {
        let fresh = |shown: &&Shown| shown.at.elapsed() < FRESH || self.stage.is_paused();
        if let Some(shown) = self.chores.last.as_ref().filter(fresh) {
            let _ = answer.send(Ok((shown.t, shown.text.clone())));
            return;
        }
        if let Err(refused) = self.must_run() {
            let _ = answer.send(Err(refused));
            return;
        }
        self.chores.waiting.push(answer);
        if self.chores.waiting.len() == 1 {
            let (t, guest) = (self.t(), self.stage.guest().clone());
            let argv = ["multipath", "-ll"].map(str::to_owned).to_vec();
            self.chores.begin(async move {
                let ran = run(guest, argv, MULTIPATH).await;
                Done::Multipath(t, ran.map(|ran| ran.stdout + &ran.stderr))
            });
        }
    }

    /// Reads a file of the guest.
    pub(super) fn pull(&mut self, path: String, answer: Answer<Vec<u8>>) {
        match self.must_run() {
            Ok(()) => self.chores.answer(answer, pull(self.stage.guest().clone(), seen(&path))),
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    /// Writes a file of the guest.
    pub(super) fn push(&mut self, path: String, contents: Vec<u8>, answer: Answer<()>) {
        match self.must_run() {
            Ok(()) => {
                self.chores.answer(answer, push(self.stage.guest().clone(), seen(&path), contents))
            }
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    /// The end of the guest's console.
    pub(super) fn console(&self) -> Result<String, Refused> {
        let path = self.teller.directory().console();
        let read = || {
            let mut file = File::open(&path)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(CONSOLE)))?;
            let mut bytes = Vec::new();
            file.take(CONSOLE).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().map_err(|error| {
            Refused::new(Why::Failed, format!("cannot read {}: {error}", path.display()))
        })
    }
}

async fn run(guest: Guest, argv: Vec<String>, at_most: Duration) -> Result<Ran, Refused> {
    let timeout_ms = at_most.as_millis().try_into().unwrap_or(u64::MAX);
    match guest.call(Call::Run { argv, timeout_ms }, at_most + CALL).await {
        Ok(AgentAnswer::Ran(end)) => Ok(Ran::from(end)),
        other => Err(failed(other)),
    }
}

/// The path for the agent of a file as the guest's programs see it.
fn seen(path: &str) -> String {
    format!("{USERLAND}/{}", path.trim_start_matches('/'))
}

async fn pull(guest: Guest, path: String) -> Result<Vec<u8>, Refused> {
    let mut contents = Vec::new();
    loop {
        let offset = contents.len() as u64;
        let call = Call::ReadPart { path: path.clone(), offset, length: PART as u32 };
        let bytes = match guest.call(call, CALL).await {
            Ok(AgentAnswer::Part { bytes }) => bytes.0,
            other => return Err(failed(other)),
        };
        if bytes.is_empty() {
            return Ok(contents);
        }
        contents.extend(bytes);
        if contents.len() > MOST {
            let why = format!("{path} is larger than {} MiB", MOST >> 20);
            return Err(Refused::new(Why::Invalid, why));
        }
    }
}

async fn push(guest: Guest, path: String, contents: Vec<u8>) -> Result<(), Refused> {
    let mut offset = 0;
    loop {
        let part = &contents[offset..contents.len().min(offset + PART)];
        let bytes = Bytes(part.to_vec());
        let call = Call::WritePart { path: path.clone(), offset: offset as u64, bytes };
        match guest.call(call, CALL).await {
            Ok(AgentAnswer::Done) => offset += part.len(),
            other => return Err(failed(other)),
        }
        if offset >= contents.len() {
            return Ok(());
        }
    }
}

fn failed(answer: Result<AgentAnswer, LabError>) -> Refused {
    match answer {
        Err(LabError::AgentFailed { why, .. }) => Refused::new(Why::Invalid, why),
        Err(error) => Refused::new(Why::Failed, error.to_string()),
        Ok(other) => Refused::new(Why::Failed, format!("the agent answered with {other:?}")),
    }
}
