//! vhost-user messages from QEMU, with their file descriptors.
//!
//! The HBAs use a library for this protocol. The library replies to a message when its handler returns, on
//! the thread that reads. Here the lab replies when its work is done, on its only thread.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use tokio::{io::Interest, net::UnixListener};

const HEADER: usize = 12;
/// Longest supported payload, in bytes.
const LONGEST: usize = 4096;
/// Most file descriptors in a message (VHOST_MEMORY_BASELINE_NREGIONS).
const FILES: usize = 8;

/// Header flags: protocol version, "this is a reply", "need reply".
const VERSION: u32 = 1;
const REPLY: u32 = 1 << 2;
const NEED_REPLY: u32 = 1 << 3;

/// A message from QEMU, the front end.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) request: u32,
    /// The sender waits until the message has been handled.
    pub(super) needs_reply: bool,
    pub(super) payload: Vec<u8>,
    pub(super) files: Vec<OwnedFd>,
}

impl Message {
    /// 32 bits at an offset of the payload; 0 beyond its end.
    pub(super) fn word(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    /// 64 bits at an offset of the payload; 0 beyond its end.
    pub(super) fn long(&self, at: usize) -> u64 {
        u64::from(self.word(at)) | u64::from(self.word(at + 4)) << 32
    }
}

pub(super) struct Connection {
    socket: UnixStream,
    /// The part of a message received so far, and its file descriptors.
    bytes: Vec<u8>,
    files: Vec<OwnedFd>,
}

impl Connection {
    /// Accepts QEMU's connection. The [`Waiter`] can wait for messages while the connection is in use
    /// elsewhere.
    pub(super) async fn accept(listener: UnixListener) -> io::Result<(Connection, Waiter)> {
        let (socket, _) = listener.accept().await?;
        let connection = Connection::new(socket.into_std()?)?;
        let waiter = tokio::net::UnixStream::from_std(connection.socket.try_clone()?)?;
        Ok((connection, Waiter(waiter)))
    }

    fn new(socket: UnixStream) -> io::Result<Connection> {
        socket.set_nonblocking(true)?;
        let (bytes, files) = (Vec::new(), Vec::new());
        Ok(Connection { socket, bytes, files })
    }

    /// The next message, if it has arrived completely.
    ///
    /// # Errors
    /// `UnexpectedEof` at the end, `InvalidData` for a malformed message.
    pub(super) fn next(&mut self) -> io::Result<Option<Message>> {
        while self.bytes.len() < self.wanted()? {
            if !self.receive()? {
                return Ok(None);
            }
        }
        let bytes = std::mem::take(&mut self.bytes);
        let header = |at: usize| word(&bytes, at);
        Ok(Some(Message {
            request: header(0),
            needs_reply: header(4) & NEED_REPLY != 0,
            payload: bytes[HEADER..].to_vec(),
            files: std::mem::take(&mut self.files),
        }))
    }

    /// How many bytes the current message has, as far as its header is known.
    fn wanted(&self) -> io::Result<usize> {
        if self.bytes.len() < HEADER {
            return Ok(HEADER);
        }
        match usize::try_from(word(&self.bytes, 8)) {
            Ok(size) if size <= LONGEST => Ok(HEADER + size),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long")),
        }
    }

    /// Receives no more than the rest of the current message, so that file descriptors are not attributed
    /// to the wrong message.
    fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = vec![0; self.wanted()? - self.bytes.len()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received =
            recvmsg(&self.socket, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, flags);
        let received = match received {
            Ok(received) if received.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(received) => received.bytes,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files.extend(files);
            }
        }
        self.bytes.extend_from_slice(&buffer[..received]);
        Ok(true)
    }

    /// Replies to a message. The few bytes fit into the socket buffer, since QEMU waits for them.
    pub(super) fn reply(&self, request: u32, payload: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(HEADER + payload.len());
        let size = u32::try_from(payload.len()).map_err(io::Error::other)?;
        for word in [request, VERSION | REPLY, size] {
            message.extend(word.to_le_bytes());
        }
        message.extend(payload);
        match send(&self.socket, &message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)? {
            n if n == message.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// Waits for messages on a duplicate of the socket.
pub(super) struct Waiter(tokio::net::UnixStream);

impl Waiter {
    /// Waits until there may be something to read, and calls `pump` to read all of it.
    pub(super) async fn next(&self, pump: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.0.readable().await?;
        // This clears only the readiness known before `pump`: data that arrives after `pump` has read
        // everything is noticed.
        let pumped = self.0.try_io(Interest::READABLE, || match pump() {
            Ok(()) => Err::<(), _>(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(error),
        });
        match pumped {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn pair() -> (UnixStream, Connection) {
        let (qemu, ours) = UnixStream::pair().unwrap();
        (qemu, Connection::new(ours).unwrap())
    }

    fn message(request: u32, flags: u32, payload: &[u8]) -> Vec<u8> {
        let words = [request, flags, payload.len() as u32];
        words.iter().flat_map(|word| word.to_le_bytes()).chain(payload.iter().copied()).collect()
    }

    #[tokio::test]
    async fn messages_are_read_whole_however_they_are_cut() {
        let wire = [message(1, 1, &[]), message(25, 9, &[7; 20])].concat();
        for cut in 0..wire.len() {
            let (mut qemu, mut connection) = pair();
            let mut seen = Vec::new();
            for piece in [&wire[..cut], &wire[cut..]] {
                qemu.write_all(piece).unwrap();
                while let Some(message) = connection.next().unwrap() {
                    seen.push((message.request, message.needs_reply, message.payload));
                }
            }
            assert_eq!(seen, [(1, false, vec![]), (25, true, vec![7; 20])]);
        }
    }

    #[tokio::test]
    async fn a_reply_repeats_the_request() {
        let (mut qemu, connection) = pair();
        connection.reply(25, &[0; 8]).unwrap();
        let mut bytes = [0; 20];
        qemu.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes[..], message(25, 5, &[0; 8]));
    }

    #[tokio::test]
    async fn what_cannot_be_a_message_is_an_error_and_so_is_the_end() {
        let (mut qemu, mut connection) = pair();
        qemu.write_all(&[0xff; HEADER]).unwrap();
        assert_eq!(connection.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (qemu, mut connection) = pair();
        drop(qemu);
        assert_eq!(connection.next().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
