//! `/api/terminal`: a program in the guest on a WebSocket.

mod bytes;
mod cells;

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection},
    },
    http::Uri,
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use sansim_protocol::TerminalSize;
use sansim_stage::Input;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken as Stop;

use super::{
    app::App,
    asked::{parameter, parameters},
    limits::MESSAGE,
    problem::Problem,
};
use crate::api::FromTerminal;

/// The most bytes that the guest takes at once.
const TYPED: usize = 4096;
/// The largest terminal.
const LARGEST: TerminalSize = TerminalSize { rows: 300, columns: 500 };

type Sending = SplitSink<WebSocket, Message>;
type Receiving = SplitStream<WebSocket>;

/// The terminal that a client wants.
struct Wanted {
    argv: Vec<String>,
    term: String,
    size: TerminalSize,
    cells: bool,
}

impl Wanted {
    fn read(uri: &Uri) -> Result<Wanted, Problem> {
        let side = |name, usual| match parameter(uri, name).map(|text| text.parse::<u16>()) {
            None => Ok(usual),
            Some(side) => side.map_err(|_| Problem::invalid(format!("`{name}` is a number"))),
        };
        let size = in_bounds(side("rows", 24)?, side("columns", 80)?);
        let cells = match parameter(uri, "as").as_deref() {
            Some("cells") => true,
            Some("bytes") | None => false,
            Some(_) => return Err(Problem::invalid("`as` is `bytes` or `cells`")),
        };
        let term = parameter(uri, "term").unwrap_or_else(|| "xterm-256color".to_owned());
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
        if term.is_empty() || term.len() > 64 || !term.bytes().all(fits) {
            return Err(Problem::invalid("`term` is no name of a terminal"));
        }
        Ok(Wanted { argv: parameters(uri, "argv"), term, size, cells })
    }
}

/// Opens a terminal.
pub(super) async fn terminal(
    State(app): State<App>,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|why| Problem::invalid(why.to_string()))?;
    let Wanted { argv, term, size, cells } = Wanted::read(&uri)?;
    let room = app.terminal()?;
    let terminal = app.lab.open(argv, term, size).await?;
    let stop = app.stop.clone();
    Ok(upgrade.max_message_size(MESSAGE).max_frame_size(MESSAGE).on_upgrade(async move |socket| {
        if cells {
            cells::draw(socket, terminal, size, stop).await
        } else {
            bytes::pass(socket, terminal, stop).await
        }
        drop(room);
    }))
}

fn in_bounds(rows: u16, columns: u16) -> TerminalSize {
    TerminalSize { rows: rows.clamp(1, LARGEST.rows), columns: columns.clamp(1, LARGEST.columns) }
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
