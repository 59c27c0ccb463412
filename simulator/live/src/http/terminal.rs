//! `/api/terminal`: a program in the guest on a WebSocket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection},
    },
    http::Uri,
    response::Response,
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use sansim_protocol::TerminalSize;
use sansim_stage::Input;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken as Stop;

use super::{
    app::App,
    asked::{parameter, parameters},
    limits::{FRAME, MESSAGE, PIECES_BEHIND},
    problem::Problem,
    screen::Picture,
};
use crate::api::{FromTerminal, Terminal, ToTerminal};

/// The most bytes that the guest takes at once.
const TYPED: usize = 4096;
/// The largest terminal.
const LARGEST: TerminalSize = TerminalSize { rows: 500, columns: 1000 };
/// Stands for output that its reader was too slow for.
const LOST: &[u8] = b"\r\n[output was lost here]\r\n";

type Sending = SplitSink<WebSocket, Message>;
type Receiving = SplitStream<WebSocket>;

/// Opens a terminal.
pub(super) async fn terminal(
    State(app): State<App>,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|why| Problem::invalid(why.to_string()))?;
    let size = |name, usual| match parameter(&uri, name).map(|text| text.parse::<u16>()) {
        Some(Err(_)) => Err(Problem::invalid(format!("`{name}` is a number"))),
        given => Ok(given.and_then(Result::ok).unwrap_or(usual)),
    };
    let size = in_bounds(size("rows", 24)?, size("columns", 80)?);
    let cells = match parameter(&uri, "as").as_deref() {
        Some("cells") => true,
        Some("bytes") | None => false,
        Some(_) => return Err(Problem::invalid("`as` is `bytes` or `cells`")),
    };
    let term = parameter(&uri, "term").unwrap_or_else(|| "xterm-256color".to_owned());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    if term.is_empty() || term.len() > 64 || !term.bytes().all(fits) {
        return Err(Problem::invalid("`term` is no name of a terminal"));
    }
    let room = app.terminal()?;
    let terminal = app.lab.open(parameters(&uri, "argv"), term, size).await?;
    let stop = app.stop.clone();
    Ok(upgrade.max_message_size(MESSAGE).max_frame_size(MESSAGE).on_upgrade(async move |socket| {
        if cells {
            draw(socket, terminal, size, stop).await
        } else {
            pass(socket, terminal, stop).await
        }
        drop(room);
    }))
}

fn in_bounds(rows: u16, columns: u16) -> TerminalSize {
    TerminalSize { rows: rows.clamp(1, LARGEST.rows), columns: columns.clamp(1, LARGEST.columns) }
}

/// `as=bytes`: passes bytes on in both directions.
async fn pass(socket: WebSocket, terminal: Terminal, stop: Stop) {
    let (mut sending, receiving) = socket.split();
    let Terminal { input, mut output, ended } = terminal;
    let (queue, mut queued) = mpsc::channel(PIECES_BEHIND);
    let take = async {
        let mut lost = false;
        // The guest waits for whoever reads here; so its output is lost rather than kept waiting.
        while let Some(piece) = output.recv().await {
            lost = lost && queue.try_send(LOST.to_vec()).is_err();
            lost |= queue.try_send(piece).is_err();
        }
        drop(queue);
        Ok(())
    };
    let show = async {
        while let Some(piece) = queued.recv().await {
            sending.send(Message::Binary(piece.into())).await?;
        }
        Ok::<_, axum::Error>(())
    };
    let typed = type_all(receiving, input, |message| match message {
        Message::Binary(bytes) => Ok(vec![Input::Typed(bytes.into())]),
        Message::Text(text) => match serde_json::from_str(&text) {
            Ok(ToTerminal::Resized(rows, columns)) => {
                Ok(vec![Input::Resized(in_bounds(rows, columns))])
            }
            _ => Err("a text message is {\"resized\":[rows,columns]}"),
        },
        _ => Ok(Vec::new()),
    });
    let shown = async { tokio::try_join!(take, show).is_ok() };
    let end = converse(shown, typed, stop).await;
    finish(sending, end, ended).await;
}

/// A screen, and whether it has changed.
struct Easel {
    picture: Mutex<Picture>,
    changed: Notify,
}

impl Easel {
    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Picture)) {
        change(&mut self.picture());
        self.changed.notify_one();
    }
}

/// `as=cells`: keeps the screen, and sends what changes on it.
async fn draw(socket: WebSocket, terminal: Terminal, size: TerminalSize, stop: Stop) {
    let (mut sending, receiving) = socket.split();
    let Terminal { input, mut output, ended } = terminal;
    let easel = Easel { picture: Mutex::new(Picture::new(size)), changed: Notify::new() };
    let over = Stop::new();
    let take = async {
        while let Some(piece) = output.recv().await {
            easel.change(|picture| picture.take(&piece));
        }
        over.cancel();
        Ok(())
    };
    let show = show(&easel, &over, &mut sending);
    let typed = type_all(receiving, input, |message| match message {
        Message::Text(text) => match serde_json::from_str(&text) {
            Ok(message) => Ok(hear(&easel, message)),
            Err(_) => Err("a message is {\"typed\":…}, {\"resized\":…} or {\"scrolled\":…}"),
        },
        Message::Binary(_) => Err("messages are text"),
        _ => Ok(Vec::new()),
    });
    let shown = async { tokio::try_join!(take, show).is_ok() };
    let end = converse(shown, typed, stop).await;
    finish(sending, end, ended).await;
}

/// Sends what changes, until the program has ended.
async fn show(easel: &Easel, over: &Stop, sending: &mut Sending) -> Result<(), axum::Error> {
    let mut next = Instant::now();
    loop {
        let last = over.is_cancelled();
        let change = easel.picture().change();
        if let Some(change) = change {
            next = Instant::now() + FRAME;
            sending.send(text(&FromTerminal::Screen(change))).await?;
        }
        if last {
            return Ok(());
        }
        tokio::select! {
            () = easel.changed.notified() => sleep_until(next).await,
            () = over.cancelled() => {}
        }
    }
}

/// What a message means for the guest.
fn hear(easel: &Easel, message: ToTerminal) -> Vec<Input> {
    match message {
        ToTerminal::Typed(typed) => {
            // Whoever types wants to see it.
            easel.change(|picture| picture.scroll(0));
            vec![Input::Typed(easel.picture().keys(typed))]
        }
        ToTerminal::Resized(rows, columns) => {
            let size = in_bounds(rows, columns);
            easel.change(|picture| picture.resize(size));
            vec![Input::Resized(size)]
        }
        ToTerminal::Scrolled(lines) => {
            easel.change(|picture| picture.scroll(lines));
            Vec::new()
        }
    }
}

/// Passes on what a client sends, until it has gone. Returns what was wrong, if something was.
async fn type_all(
    mut receiving: Receiving,
    input: mpsc::Sender<Input>,
    mut meaning: impl FnMut(Message) -> Result<Vec<Input>, &'static str>,
) -> Option<&'static str> {
    let mut wrong = None;
    while let Some(Ok(message)) = receiving.next().await {
        let inputs = match meaning(message) {
            Ok(inputs) => inputs,
            Err(why) => {
                wrong = Some(why);
                break;
            }
        };
        for input_now in inputs.into_iter().flat_map(in_pieces) {
            // If the program has ended, that is shown.
            let _ = input.send(input_now).await;
        }
    }
    let _ = input.try_send(Input::HungUp);
    wrong
}

fn in_pieces(input: Input) -> Vec<Input> {
    match input {
        Input::Typed(bytes) => bytes.chunks(TYPED).map(|it| Input::Typed(it.to_vec())).collect(),
        other => vec![other],
    }
}

/// How a conversation has ended.
enum End {
    /// The program has ended.
    Program,
    /// The client has gone, or cannot be talked to; with what it did wrong.
    Client(Option<&'static str>),
    /// Serving ends.
    Stop,
}

async fn converse(
    shown: impl Future<Output = bool>,
    typed: impl Future<Output = Option<&'static str>>,
    stop: Stop,
) -> End {
    tokio::select! {
        all = shown => if all { End::Program } else { End::Client(None) },
        wrong = typed => End::Client(wrong),
        () = stop.cancelled() => End::Stop,
    }
}

async fn finish(mut sending: Sending, end: End, ended: oneshot::Receiver<Option<i32>>) {
    let (code, reason) = match end {
        End::Program => {
            let ended = ended.await.ok().flatten();
            let _ = sending.send(text(&FromTerminal::Ended { ended })).await;
            (close_code::NORMAL, "")
        }
        End::Client(None) => return,
        End::Client(Some(wrong)) => (close_code::POLICY, wrong),
        End::Stop => (close_code::AWAY, "the lab is ending"),
    };
    let _ = sending.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

fn text(message: &FromTerminal) -> Message {
    Message::Text(serde_json::to_string(message).unwrap_or_default().into())
}
