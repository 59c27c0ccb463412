//! The hypercall's register: a vhost-user-blk device without a driver. A write to its `writeback` byte is a
//! question.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sansim_protocol::hypercall::{Ask, Go, Interrupt, Mailbox};
use tokio::{
    net::UnixListener,
    sync::{oneshot, watch},
};

use super::{
    block_device::{BlockConfig, BlockDevice, SET_CONFIG},
    mailbox::LabMailbox,
    recording::{AnswerRecord, Recording, Retelling, Served},
    vhost_user::Connection,
};
use crate::agent::Lines;

/// `offsetof(struct virtio_blk_config, wce)`, and VIRTIO_BLK_F_CONFIG_WCE, which makes the byte writable
/// (virtio 1.2, 5.2.3).
const WRITEBACK: usize = 32;
const CONFIG_WCE: u64 = 1 << 11;

/// The lab's end of the hypercall.
pub(crate) struct Register {
    mailbox: LabMailbox,
    inner: Mutex<RegisterState>,
    asked: watch::Sender<Ask>,
}

struct RegisterState {
    device: BlockDevice<Writeback>,
    connection: Option<Connection>,
    /// The messages that are exchanged as text.
    lines: Lines,
    /// Interrupts that did not fit into an answer.
    late: Vec<Interrupt>,
    telling: Telling,
}

/// What happens to questions.
#[derive(Default)]
enum Telling {
    /// The guest asks; nothing is recorded.
    #[default]
    Once,
    /// The guest asks; questions and answers are recorded.
    WrittenDown(Recording),
    /// The recording asks in place of the guest. The sender signals that all questions have been answered.
    Again(Retelling, oneshot::Sender<()>),
}

/// How to serve the devices while a question is open.
pub(crate) enum Serving {
    /// [`Device::serve`](super::Device::serve), without recording.
    Plain,
    /// With recording, for [`Register::served`].
    WrittenDown,
    /// By repeating what they served when it was recorded.
    Again(Served),
}

/// The outcome of an answer.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The answer was sent, and the guest continues.
    Yes,
    /// The reply could not be sent: QEMU has ended, or is about to.
    Gone(io::Error),
    /// The answer differs from the recorded one, as described.
    Otherwise(String),
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register").field("asked", &*self.asked.borrow()).finish_non_exhaustive()
    }
}

/// The device's configuration: the register's value.
struct Writeback(u8);

impl BlockConfig for Writeback {
    fn features(&self) -> u64 {
        CONFIG_WCE
    }

    /// The capacity is 0 sectors.
    fn bytes(&self) -> [u8; 64] {
        let mut config = [0; 64];
        config[WRITEBACK] = self.0;
        config
    }

    fn written(&mut self, at: usize, byte: u8) -> bool {
        if at == WRITEBACK {
            self.0 = byte;
        }
        at == WRITEBACK
    }
}

impl Register {
    /// Creates the register. `value` is the register's value in the saved machine, `ram` the file with the
    /// guest's memory. `lines` are exchanged with questions and answers. The receiver gets every question.
    pub(crate) fn new(
        value: u8,
        ram: &File,
        lines: Lines,
    ) -> io::Result<(Arc<Register>, watch::Receiver<Ask>)> {
        let (asked, asks) = watch::channel(Ask::default());
        let device = BlockDevice::new(Writeback(value), ram.try_clone()?)?;
        let (late, telling) = (Vec::new(), Telling::Once);
        let inner = RegisterState { device, connection: None, lines, late, telling };
        let (mailbox, inner) = (LabMailbox::of(ram.try_clone()?)?, Mutex::new(inner));
        Ok((Arc::new(Register { mailbox, inner, asked }), asks))
    }

    /// Accepts QEMU's connection and receives questions until the connection ends.
    pub(crate) async fn serve(self: Arc<Register>, listener: UnixListener) -> io::Result<()> {
        let (connection, waiter) = Connection::accept(listener).await?;
        self.lock().connection = Some(connection);
        loop {
            waiter.next(|| self.pump()).await?;
        }
    }

    fn pump(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let RegisterState { device, connection, lines, telling, .. } = &mut *inner;
        let Some(connection) = connection else { return Ok(()) };
        if device.pump(connection)? {
            let (ask, text) = self.mailbox.question()?;
            tracing::trace!(?ask, text = %String::from_utf8_lossy(&text), "asked");
            lines.take(&text);
            if let Telling::WrittenDown(recording) = telling {
                recording.asked(ask, text);
            }
            drop(inner);
            self.asked.send_replace(ask);
        }
        Ok(())
    }

    /// Answers the open question, with the text that waits for the agent. The guest continues. The agent
    /// asks again at `wake_ns` on its clock, or earlier.
    pub(crate) fn answer(
        &self,
        round: u64,
        wake_ns: Option<u64>,
        interrupts: Vec<Interrupt>,
    ) -> Answered {
        let mut inner = self.lock();
        let RegisterState { connection, lines, late, telling, .. } = &mut *inner;
        let Some(connection) = connection else { return Answered::Yes };
        late.extend(interrupts);
        let interrupts = late.drain(..late.len().min(Go::MOST_INTERRUPTS)).collect();
        let text = lines.give(Mailbox::ROOM);
        // If something did not fit, the agent asks again at once.
        let more = !late.is_empty() || lines.has_more();
        let wake_ns = if more { Some(0) } else { wake_ns };
        let go = Go { round, wake_ns, len: text.len(), interrupts };
        tracing::trace!(?go, text = %String::from_utf8_lossy(&text), "answered");
        let answer = AnswerRecord { wake_ns, text };
        if let Telling::Again(retelling, _) = telling {
            if let Err(why) = retelling.answer(&answer) {
                *telling = Telling::Once;
                return Answered::Otherwise(why);
            }
            inner.ask_again(&self.asked);
            return Answered::Yes;
        }
        let written = self.mailbox.answer(&go, &answer.text);
        if let Telling::WrittenDown(recording) = telling {
            recording.answered(answer);
        }
        match written.and_then(|()| connection.reply(SET_CONFIG, &[0; 8])) {
            Ok(()) => Answered::Yes,
            Err(error) => Answered::Gone(error),
        }
    }

    /// Starts recording questions and answers, from the open question on.
    pub(crate) fn write_down(&self) {
        self.lock().telling = Telling::WrittenDown(Recording::from(*self.asked.borrow()));
    }

    /// Records what the devices served; `None` if a device could not record it.
    pub(crate) fn served(&self, served: Option<Served>) {
        if let Telling::WrittenDown(recording) = &mut self.lock().telling {
            recording.served(served);
        }
    }

    /// Takes the recording. `None` if it is incomplete, which it is while a question is open.
    pub(crate) fn take_recording(&self) -> Option<Recording> {
        match std::mem::take(&mut self.lock().telling) {
            Telling::WrittenDown(recording) => Some(recording).filter(Recording::is_whole),
            Telling::Once | Telling::Again(..) => None,
        }
    }

    /// Asks the recorded questions in place of the guest. The receiver is signalled when all are answered
    /// and the guest must continue.
    pub(crate) fn tell_again(&self, recording: Recording) -> oneshot::Receiver<()> {
        let (done, all) = oneshot::channel();
        let mut inner = self.lock();
        inner.telling = Telling::Again(Retelling::new(recording), done);
        inner.ask_again(&self.asked);
        all
    }

    /// Whether the recording asks in place of the guest.
    pub(crate) fn is_retelling(&self) -> bool {
        matches!(self.lock().telling, Telling::Again(..))
    }

    /// How to serve the devices now.
    pub(crate) fn service(&self) -> Serving {
        match &mut self.lock().telling {
            Telling::Once => Serving::Plain,
            Telling::WrittenDown(_) => Serving::WrittenDown,
            Telling::Again(retelling, _) => Serving::Again(retelling.serve()),
        }
    }

    /// The last value written, which must be saved with the machine.
    pub(crate) fn value(&self) -> u8 {
        self.lock().device.config.0
    }

    fn lock(&self) -> MutexGuard<'_, RegisterState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RegisterState {
    /// Asks the next recorded question. After the last one the guest asks.
    fn ask_again(&mut self, asked: &watch::Sender<Ask>) {
        let Telling::Again(retelling, _) = &self.telling else { return };
        if let Some((ask, text)) = retelling.question() {
            self.lines.take(text);
            asked.send_replace(ask);
        } else if let Telling::Again(_, done) = std::mem::take(&mut self.telling) {
            // The receiver is gone if the run has ended.
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use sansim_protocol::{Call, Request, decode};

    use super::*;
    use crate::exact::testing::guest;

    #[tokio::test]
    async fn a_question_is_heard_and_the_store_completed_when_it_is_answered() {
        let (mut guest, mut ends) = guest().await;
        guest.ask(7, b"").await;
        ends.asks.changed().await.unwrap();
        let ask = *ends.asks.borrow_and_update();
        assert_eq!((ask.round, ask.at_ns), (1, 7));
        assert_eq!(ends.register.value(), 1);
        let interrupts = vec![Interrupt { slot: 0x10, queue: 2 }];
        let answered = ends.register.answer(ask.round, Some(90), interrupts.clone());
        assert!(matches!(answered, Answered::Yes));
        let (go, text) = guest.go().await;
        assert_eq!(go, Go { round: 1, wake_ns: Some(90), len: 0, interrupts });
        assert!(text.is_empty());
    }

    #[tokio::test]
    async fn text_that_does_not_fit_follows_at_once() {
        let (mut guest, mut ends) = guest().await;
        let link = ends.connected.link.clone();
        let call = Call::WriteFile { path: "/x".into(), text: "y".repeat(Mailbox::ROOM) };
        let sent = call.clone();
        let calling = tokio::spawn(async move { link.call(sent).await });
        let mut all = Vec::new();
        for round in 1..=2 {
            guest.ask(round, b"").await;
            ends.asks.changed().await.unwrap();
            tokio::task::yield_now().await;
            ends.register.answer(round, Some(500), Vec::new());
            let (go, text) = guest.go().await;
            all.extend(text);
            assert_eq!(go.wake_ns, Some(if round == 1 { 0 } else { 500 }));
        }
        assert_eq!(decode::<Request>(&all).unwrap().call, call);
        calling.abort();
    }

    #[tokio::test]
    async fn what_the_agent_says_may_be_cut_anywhere() {
        let (mut guest, mut ends) = guest().await;
        let line = br#"{"type":"event","at_ns":5,"event":"lost","count":3}"#;
        for piece in [&line[..20], &line[20..], b"\n"] {
            guest.ask(1, piece).await;
            ends.asks.changed().await.unwrap();
            ends.asks.mark_unchanged();
            ends.register.answer(0, None, Vec::new());
            guest.go().await;
        }
        assert_eq!(ends.connected.events.recv().await.unwrap().at_ns, 5);
    }
}
