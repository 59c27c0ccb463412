//! A terminal in the guest, by its WebSocket.

use futures_util::{SinkExt, StreamExt};
use sansim_protocol::TerminalSize;
use sansim_stage::Input;
use tokio::sync::mpsc;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Error, Message},
};

use super::{
    Client, ClientError,
    request::{connect, encode, refusal},
};
use crate::api::{FromTerminal, ToTerminal};

impl Client {
    /// Runs a program in a new terminal: `argv` (a shell, if it is empty), `$TERM`, size. Passes
    /// its input and output on until it has ended, or is left with [`Input::HungUp`]; returns its
    /// exit code, `None` if it was killed or left.
    ///
    /// # Errors
    /// What the lab refuses, and what goes wrong on the way.
    pub async fn terminal(
        &self,
        argv: &[String],
        term: &str,
        size: TerminalSize,
        mut input: mpsc::Receiver<Input>,
        output: mpsc::Sender<Vec<u8>>,
    ) -> Result<Option<i32>, ClientError> {
        let TerminalSize { rows, columns } = size;
        let mut uri = format!("ws://lab/api/terminal?rows={rows}&columns={columns}");
        uri.push_str(&format!("&term={}", encode(term)));
        uri.extend(argv.iter().map(|word| format!("&argv={}", encode(word))));
        let opened = client_async(uri, connect(&self.socket).await?).await;
        let (socket, _) = opened.map_err(not_opened)?;
        let (mut sending, mut receiving) = socket.split();
        let typed = async {
            while let Some(input) = input.recv().await {
                let Some(message) = message(input) else {
                    return sending.close().await.map_err(ClientError::lost).map(|()| None);
                };
                sending.send(message).await.map_err(ClientError::lost)?;
            }
            // What the program says is still to come.
            std::future::pending().await
        };
        let shown = async {
            while let Some(message) = receiving.next().await {
                match message.map_err(ClientError::lost)? {
                    // If nobody looks any more, the program still runs to its end.
                    Message::Binary(bytes) => drop(output.send(bytes.into()).await),
                    Message::Text(text) => match serde_json::from_str(&text) {
                        Ok(FromTerminal::Ended { ended }) => return Ok(ended),
                        _ => return Err(ClientError::strange(text)),
                    },
                    _ => {}
                }
            }
            Err(ClientError::lost("the terminal was closed"))
        };
        tokio::select! {
            left = typed => left,
            ended = shown => ended,
        }
    }
}

/// `None` for the end.
fn message(input: Input) -> Option<Message> {
    match input {
        Input::Typed(bytes) => Some(Message::Binary(bytes.into())),
        Input::Resized(TerminalSize { rows, columns }) => {
            let text = serde_json::to_string(&ToTerminal::Resized(rows, columns)).ok()?;
            Some(Message::Text(text.into()))
        }
        Input::HungUp => None,
    }
}

fn not_opened(error: Error) -> ClientError {
    match error {
        Error::Http(answer) => refusal(answer.into_body().as_deref().unwrap_or_default()),
        error => ClientError::lost(error),
    }
}
