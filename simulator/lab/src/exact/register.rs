//! The register: the device that no driver has, and a write to which is a question.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sansim_protocol::hypercall::{Ask, Go, Interrupt, Mailbox};
use tokio::{net::UnixListener, sync::watch};

use super::{
    block_device::{BlockDevice, Personality},
    mailbox::LabMailbox,
    vhost_user::Connection,
};
use crate::agent::Lines;

/// offsetof(struct virtio_blk_config, wce), and the feature that makes it writable (virtio 1.2 5.2.3).
const WRITEBACK: usize = 32;
const CONFIG_WCE: u64 = 1 << 11;

/// VHOST_USER_SET_CONFIG, the message that a write to the register becomes.
const SET_CONFIG: u32 = 25;

/// The lab's end of the hypercall.
pub(crate) struct Register {
    mailbox: LabMailbox,
    inner: Mutex<Inner>,
    asked: watch::Sender<Ask>,
}

struct Inner {
    device: BlockDevice<Writeback>,
    connection: Option<Connection>,
    /// What is said and answered in words.
    lines: Lines,
    /// Interrupts that an answer had no room for.
    late: Vec<Interrupt>,
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register").field("asked", &*self.asked.borrow()).finish_non_exhaustive()
    }
}

/// The value of the register.
struct Writeback(u8);

impl Personality for Writeback {
    fn features(&self) -> u64 {
        CONFIG_WCE
    }

    /// A disk without a single sector.
    fn config(&self) -> [u8; 64] {
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
    /// A register that had this value when its machine was saved, for the guest with this memory.
    /// `lines` are carried with questions and answers. The receiver is told of every question.
    pub(crate) fn new(
        value: u8,
        ram: &File,
        lines: Lines,
    ) -> io::Result<(Arc<Register>, watch::Receiver<Ask>)> {
        let (asked, asks) = watch::channel(Ask::default());
        let device = BlockDevice::new(Writeback(value), ram.try_clone()?)?;
        let inner = Inner { device, connection: None, lines, late: Vec::new() };
        let (mailbox, inner) = (LabMailbox::of(ram.try_clone()?)?, Mutex::new(inner));
        Ok((Arc::new(Register { mailbox, inner, asked }), asks))
    }

    /// Takes QEMU's connection, and hears questions until that ends.
    pub(crate) async fn serve(self: Arc<Register>, listener: UnixListener) -> io::Result<()> {
        let (socket, _) = listener.accept().await?;
        let connection = Connection::new(socket.into_std()?)?;
        let waiter = connection.waiter()?;
        self.lock().connection = Some(connection);
        loop {
            waiter.next(|| self.pump()).await?;
        }
    }

    fn pump(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let Inner { device, connection, lines, .. } = &mut *inner;
        let Some(connection) = connection else { return Ok(()) };
        if device.pump(connection)? {
            let (ask, text) = self.mailbox.question()?;
            lines.take(&text);
            drop(inner);
            self.asked.send_replace(ask);
        }
        Ok(())
    }

    /// Answers the question that is open, with all that waits to be said to the agent, and so lets the
    /// guest go on. The agent asks again at `wake_ns` of its clock, or earlier.
    ///
    /// # Errors
    /// When QEMU is gone.
    pub(crate) fn answer(
        &self,
        round: u64,
        wake_ns: Option<u64>,
        interrupts: Vec<Interrupt>,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        let Inner { connection, lines, late, .. } = &mut *inner;
        let Some(connection) = connection else { return Ok(()) };
        late.extend(interrupts);
        let interrupts = late.drain(..late.len().min(Go::MOST_INTERRUPTS)).collect();
        let text = lines.give(Mailbox::ROOM);
        // What there was no room for follows at once.
        let more = !late.is_empty() || lines.wait();
        let wake_ns = if more { Some(0) } else { wake_ns };
        let go = Go { round, wake_ns, len: text.len(), interrupts };
        self.mailbox.answer(&go, &text)?;
        connection.reply(SET_CONFIG, &[0; 8])
    }

    /// The last value that was written, which belongs to a saved machine.
    pub(crate) fn value(&self) -> u8 {
        self.lock().device.personality.0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
