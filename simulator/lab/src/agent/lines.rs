//! The lines between a link and its agent. They are transported by a port in real time, and with the
//! guest's questions in exact time.

use std::sync::Arc;

use sansim_protocol::{Event, FromAgent, Happening, LineBuffer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
};

use super::{Ready, Shared};
use crate::Result;

/// Both directions of the conversation between a link and its agent. The transport takes bytes from one end
/// and passes them to the other.
pub(crate) struct Lines {
    shared: Arc<Shared>,
    events: Events,
    ready: Option<oneshot::Sender<Result<Ready, String>>>,
    incoming: LineBuffer,
    outgoing: mpsc::Receiver<Vec<u8>>,
    unsent: Vec<u8>,
}

impl Lines {
    pub(super) fn new(
        shared: Arc<Shared>,
        events: mpsc::Sender<Event>,
        ready: oneshot::Sender<Result<Ready, String>>,
        outgoing: mpsc::Receiver<Vec<u8>>,
    ) -> Lines {
        Lines {
            shared,
            events: Events { sender: events, lost: 0 },
            ready: Some(ready),
            incoming: LineBuffer::default(),
            outgoing,
            unsent: Vec::new(),
        }
    }

    /// Accepts bytes from the agent, split anywhere.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.incoming.push(bytes);
        while let Some(message) = self.incoming.next::<FromAgent>() {
            match message {
                Ok(message) => self.hear(message),
                Err(error) => self.garbled(&error.to_string()),
            }
        }
    }

    /// Returns bytes to send to the agent, at most `most`.
    pub(crate) fn give(&mut self, most: usize) -> Vec<u8> {
        while let Ok(line) = self.outgoing.try_recv() {
            self.unsent.extend(line);
        }
        self.unsent.drain(..self.unsent.len().min(most)).collect()
    }

    /// Whether [`Lines::give`] left bytes for the next call.
    pub(crate) fn has_more(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Transports the lines over a stream, the connection to the agent's port, until the stream ends.
    pub(crate) async fn carry(mut self, stream: impl AsyncRead + AsyncWrite) {
        let (mut read, mut write) = tokio::io::split(stream);
        let mut outgoing = std::mem::replace(&mut self.outgoing, mpsc::channel(1).1);
        let sending = async {
            while let Some(line) = outgoing.recv().await {
                if let Err(error) = write.write_all(&line).await {
                    tracing::debug!("the agent cannot be written to: {error}");
                    break;
                }
            }
            // Nothing more can be written, but the agent's output is still read.
            std::future::pending::<()>().await;
        };
        let receiving = async {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(n @ 1..) = read.read(&mut buffer).await {
                self.take(&buffer[..n]);
            }
        };
        tokio::select! {
            () = receiving => {}
            () = sending => {}
        }
    }

    fn hear(&mut self, message: FromAgent) {
        match message {
            FromAgent::Ready { version, kernel } => {
                if let Some(ready) = self.ready.take() {
                    let _ = ready.send(Ok(Ready { version, kernel }));
                }
            }
            FromAgent::Reply(reply) => {
                // The caller may have stopped waiting; that is no error.
                if let Some(caller) = self.shared.calls().waiting.remove(&reply.id) {
                    let _ = caller.send(Ok(reply.result));
                }
            }
            FromAgent::Event(event) => self.events.pass(event),
        }
    }

    /// An unreadable message may be the reply to any call, so all callers get the error.
    fn garbled(&mut self, why: &str) {
        tracing::warn!("the agent: {why}");
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(Err(why.to_owned()));
        }
        for (_, caller) in self.shared.calls().waiting.drain() {
            let _ = caller.send(Err(why.to_owned()));
        }
    }
}

/// Forwards events, and counts events that did not fit into the channel. It never blocks, because replies
/// arrive over the same connection.
pub(super) struct Events {
    pub(super) sender: mpsc::Sender<Event>,
    pub(super) lost: u64,
}

impl Events {
    pub(super) fn pass(&mut self, event: Event) {
        let at_ns = event.at_ns;
        if self.lost > 0 {
            let lost = Event { at_ns, what: Happening::Lost { count: self.lost } };
            match self.sender.try_send(lost) {
                Ok(()) => self.lost = 0,
                Err(_) => {
                    self.lost += 1;
                    return;
                }
            }
        }
        if self.sender.try_send(event).is_err() {
            self.lost += 1;
        }
    }
}
