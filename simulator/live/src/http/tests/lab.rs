//! A lab that only pretends, and plain requests to it.

use std::{sync::Arc, time::Duration};

use sansim_stage::{
    Input,
    event::{CommandEvent, Event, What},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    sync::{mpsc, oneshot},
};

use crate::{
    Served,
    api::{Clock, Did, HeldStatus, LabStatus, Message, Refused, RunState, Status, Terminal, Why},
    client::Client,
    handle::{Ask, Desk, handle},
    news::News,
};

/// A lab and its API.
pub(super) struct Lab {
    pub(super) served: Served,
    pub(super) client: Client,
    pub(super) news: News,
    /// What a terminal was opened with, and its ends.
    pub(super) opened: mpsc::Receiver<Opened>,
    directory: tempfile::TempDir,
}

/// The guest's side of a terminal.
pub(super) struct Opened {
    pub(super) argv: Vec<String>,
    pub(super) input: mpsc::Receiver<Input>,
    pub(super) output: mpsc::Sender<Vec<u8>>,
    pub(super) ended: oneshot::Sender<Option<i32>>,
}

/// Starts a lab; needs a runtime of tokio.
pub(super) fn lab() -> Lab {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("api.sock");
    let (handle, desk) = handle();
    let news = desk.news.clone();
    let served = Served::start(handle, &socket, None).unwrap();
    let (open, opened) = mpsc::channel(8);
    tokio::spawn(pretend(desk, directory.path().display().to_string(), open));
    Lab { served, client: Client::new(socket), news, opened, directory }
}

impl Lab {
    pub(super) fn port(&self) -> u16 {
        let address = self.served.address();
        address.split([':', '/']).find_map(|part| part.parse().ok()).unwrap()
    }

    pub(super) fn token(&self) -> String {
        self.served.address().split_once("token=").unwrap().1.to_owned()
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(super) async fn unix(&self) -> UnixStream {
        UnixStream::connect(self.directory().join("api.sock")).await.unwrap()
    }

    /// Sends a request to the port as it is written, and gives the whole answer.
    pub(super) async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A GET with these headers, which closes the connection.
    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.raw(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n")).await
    }
}

/// Answers like a lab in which every step is done at once.
async fn pretend(mut desk: Desk, directory: String, open: mpsc::Sender<Opened>) {
    while let Some(ask) = desk.asks.recv().await {
        match ask {
            Ask::Status(answer) => drop(answer.send(Ok(status(&directory)))),
            Ask::Act(steps, answer) => {
                let did = steps.iter().map(|step| did(&format!("{step:?}"))).collect();
                drop(answer.send(Ok(did)));
            }
            Ask::RemoveFault(name, answer) => {
                let why = format!("there is no rule `{name}`");
                drop(answer.send(Err(Refused::new(Why::Unknown, why))));
            }
            // Never answered; the lab waits until nobody does.
            Ask::Wait(_, _, mut answer) => {
                answer.closed().await;
                desk.news.tell(Message::Event(Arc::new(event(-1.0))));
            }
            Ask::Pull(path, answer) => drop(answer.send(Ok(path.into_bytes()))),
            Ask::Push(_, contents, answer) => {
                let len = contents.len();
                drop(answer.send(Err(Refused::new(Why::Failed, format!("{len} bytes")))));
            }
            Ask::Open(argv, _, _, answer) => drop(answer.send(Ok(terminal(argv, &open).await))),
            Ask::Down(answer) => {
                drop(answer.send(Ok(())));
                return;
            }
            _ => {}
        }
    }
}

async fn terminal(argv: Vec<String>, open: &mpsc::Sender<Opened>) -> Terminal {
    let (input, typed) = mpsc::channel(8);
    let (shown, output) = mpsc::channel(8);
    let (end, ended) = oneshot::channel();
    open.send(Opened { argv, input: typed, output: shown, ended: end }).await.ok().unwrap();
    Terminal { input, output, ended }
}

fn did(words: &str) -> Did {
    Did {
        t: 1.0,
        name: "step-1".to_owned(),
        words: words.to_owned(),
        toml: String::new(),
        ctl: String::new(),
        warning: None,
        error: None,
        pending: false,
        ran: None,
    }
}

/// A command that ended well.
pub(super) fn event(t: f64) -> Event {
    let text = str::to_owned;
    let command = CommandEvent {
        seq: 0,
        hba: 0,
        port: text("A0"),
        controller: text("A"),
        lun: 0,
        op: text("READ(10)"),
        cdb: text("2800000000000000080000"),
        status: text("GOOD"),
        sense: None,
        response: text("OK"),
        latency_s: 0.0,
        fault: None,
    };
    Event { t, what: What::Command(command) }
}

/// An event that every view shows.
pub(super) fn log(t: f64) -> Event {
    Event { t, what: What::Log { level: None, text: "a line".to_owned() } }
}

fn status(directory: &str) -> Status {
    let text = str::to_owned;
    Status {
        lab: LabStatus {
            name: text("lab"),
            title: text("a lab"),
            family: text("rdac"),
            identity: text("IBM 1814"),
            image: text("bookworm"),
            kernel: text("6.1"),
            handler: text("rdac"),
            manager: text("dmsetup"),
            seed: 1,
            accelerator: text("tcg"),
            version: text("0"),
            directory: directory.to_owned(),
        },
        starting: None,
        clock: Clock { t: 0.0, mode: text("real"), state: RunState::Running },
        hbas: Vec::new(),
        links: Vec::new(),
        arrays: Vec::new(),
        witness: None,
        controllers: Vec::new(),
        luns: Vec::new(),
        faults: Vec::new(),
        broken: Vec::new(),
        workloads: Vec::new(),
        held: HeldStatus::default(),
        history: Vec::new(),
        tour: None,
        capture: None,
    }
}

/// Fails the test if something takes longer than ten seconds.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("it takes too long")
}
