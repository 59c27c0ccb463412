//! For tests: a guest that asks questions, and the QEMU between it and the register.

use std::{fs::File, os::unix::fs::FileExt, path::Path, sync::Arc};

use sansim_protocol::hypercall::{Ask, Go, Mailbox};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};

use super::Register;
use crate::{AgentLink, ExitReason, agent::Connected, machine::Console};

pub(crate) struct Guest {
    socket: UnixStream,
    ram: File,
    round: u64,
    value: u8,
    /// While this sender exists, the guest counts as running.
    _exit: watch::Sender<Option<ExitReason>>,
}

/// The lab's ends of the connection.
pub(crate) struct LabEnds {
    pub(crate) connected: Connected,
    pub(crate) register: Arc<Register>,
    pub(crate) asks: watch::Receiver<Ask>,
}

/// Creates a guest and the lab's ends of the connection.
pub(crate) async fn guest() -> (Guest, LabEnds) {
    let ram = tempfile::tempfile().unwrap();
    ram.set_len(Mailbox::AT + Mailbox::BYTES as u64).unwrap();
    let (exit, exited) = watch::channel(None);
    let (connected, lines) =
        AgentLink::with_lines(exited, Console::new(Path::new("/nowhere/console")));
    let (register, asks) = Register::new(0, &ram, lines).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("register");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(Arc::clone(&register).serve(listener));
    let socket = UnixStream::connect(&path).await.unwrap();
    let guest = Guest { socket, ram, round: 0, value: 0, _exit: exit };
    (guest, LabEnds { connected, register, asks })
}

impl Guest {
    /// Asks: writes the mailbox, then the register.
    pub(crate) async fn ask(&mut self, at_ns: u64, text: &[u8]) {
        self.round += 1;
        self.value ^= 1;
        let ask = Ask { round: self.round, at_ns, len: text.len() };
        self.ram.write_all_at(text, Mailbox::AT + Mailbox::TEXT as u64).unwrap();
        self.ram.write_all_at(&ask.encode(), Mailbox::AT).unwrap();
        // VHOST_USER_SET_CONFIG with NEED_REPLY: offset, size, flags, the byte.
        let words = [25u32, 9, 13, 32, 1, 0];
        let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        message.push(self.value);
        self.socket.write_all(&message).await.unwrap();
    }

    /// Waits until the store completes, and reads the answer.
    pub(crate) async fn go(&mut self) -> (Go, Vec<u8>) {
        let mut reply = [0; 20];
        self.socket.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply[..4], 25u32.to_le_bytes());
        let mut head = [0; Go::HEAD];
        let at = Mailbox::AT + Mailbox::ANSWER as u64;
        self.ram.read_exact_at(&mut head, at).unwrap();
        let go = Go::decode(&head);
        let mut text = vec![0; go.len];
        self.ram.read_exact_at(&mut text, at + Mailbox::TEXT as u64).unwrap();
        (go, text)
    }
}
