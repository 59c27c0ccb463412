//! The lines that travel between a link and its agent, whoever carries them: a port in real time, the
//! answers to the guest's questions in exact time.

use std::sync::Arc;

use sansim_protocol::{Event, FromAgent, Happening, LineBuffer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
};

use super::{Ready, Shared};
use crate::Result;

/// What is said between a link and its agent: whoever carries it takes from one end and gives to the
/// other.
pub(crate) struct Lines {
    shared: Arc<Shared>,
    events: Events,
    ready: Option<oneshot::Sender<Result<Ready, String>>>,
    incoming: LineBuffer,
    outgoing: mpsc::Receiver<Vec<u8>>,
    unsent: Vec<u8>,
}

impl Lines {
    /// Nothing is said yet.
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

    /// Takes what the agent has said, cut anywhere.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.incoming.push(bytes);
        while let Some(message) = self.incoming.next::<FromAgent>() {
            match message {
                Ok(message) => self.hear(message),
                Err(error) => self.garbled(&error.to_string()),
            }
        }
    }

    /// Gives what is to be said to the agent, at most so many bytes of it.
    pub(crate) fn give(&mut self, most: usize) -> Vec<u8> {
        while let Ok(line) = self.outgoing.try_recv() {
            self.unsent.extend(line);
        }
        self.unsent.drain(..self.unsent.len().min(most)).collect()
    }

    /// Whether [`Lines::give`] has left something for the next time.
    pub(crate) fn has_more(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Carries them over a stream, the connection to the agent's port, until that ends.
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
            // What it says is still heard.
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
                // An answer nobody waits for any more is no error.
                if let Some(caller) = self.shared.calls().waiting.remove(&reply.id) {
                    let _ = caller.send(Ok(reply.result));
                }
            }
            FromAgent::Event(event) => self.events.pass(event),
        }
    }

    /// A message that cannot be read may be anybody's answer: all who wait are told.
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

/// Passes events on, and counts those for which there was no room. It never waits: answers come the
/// same way.
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
