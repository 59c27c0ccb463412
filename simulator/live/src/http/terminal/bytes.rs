//! A terminal as bytes, for clients that are terminals.

use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, StreamExt};
use sansim_stage::Input;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken as Stop;

use super::{converse, finish, in_bounds, type_all};
use crate::{
    api::{Terminal, ToTerminal},
    http::limits::PIECES_BEHIND,
};

/// Stands for output that its reader was too slow for.
const LOST: &[u8] = b"\r\n[output was lost here]\r\n";

/// Passes bytes on in both directions.
pub(super) async fn pass(socket: WebSocket, terminal: Terminal, stop: Stop) {
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
