//! Messages of the vhost-user protocol as they come from QEMU, with the files that come with them.
//!
//! A library for this exists, and serves the HBAs. It answers a message when its handler returns, on the
//! thread that reads; here a message is answered when the lab is done, on the one thread that does
//! everything.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use tokio::{io::Interest, net::UnixListener};

const HEADER: usize = 12;
/// No message that is understood here is longer, in bytes.
const LONGEST: usize = 4096;
/// A message brings at most so many files (VHOST_MEMORY_BASELINE_NREGIONS).
const FILES: usize = 8;

/// Of a header's flags: the protocol's version, "this is a reply", "a reply is wanted".
const VERSION: u32 = 1;
const REPLY: u32 = 1 << 2;
const NEED_REPLY: u32 = 1 << 3;

/// What QEMU, the front end, sends.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) request: u32,
    /// Its sender waits until it is acted on.
    pub(super) needs_reply: bool,
    pub(super) payload: Vec<u8>,
    pub(super) files: Vec<OwnedFd>,
}

impl Message {
    /// The 32 bits at an offset of the payload, 0 if there are none.
    pub(super) fn word(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    /// The 64 bits at an offset of the payload, 0 if there are none.
    pub(super) fn long(&self, at: usize) -> u64 {
        u64::from(self.word(at)) | u64::from(self.word(at + 4)) << 32
    }
}

/// The connection of one device.
pub(super) struct Connection {
    socket: UnixStream,
    /// The beginning of a message, and the files that came with it.
    bytes: Vec<u8>,
    files: Vec<OwnedFd>,
}

impl Connection {
    /// Takes QEMU's connection, with what to wait with while others use it.
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

    /// The next message, if all of it is there.
    ///
    /// # Errors
    /// `UnexpectedEof` at the end, `InvalidData` for what cannot be a message.
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

    /// How long the message that has begun is, as far as is known.
    fn wanted(&self) -> io::Result<usize> {
        if self.bytes.len() < HEADER {
            return Ok(HEADER);
        }
        match usize::try_from(word(&self.bytes, 8)) {
            Ok(size) if size <= LONGEST => Ok(HEADER + size),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long")),
        }
    }

    /// Receives no more than belongs to the message that has begun, so that its files are its own.
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

    /// Answers a message. It is a few bytes, for which there is room: QEMU waits for them.
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

/// Waits for messages without having the connection.
pub(super) struct Waiter(tokio::net::UnixStream);

impl Waiter {
    /// Waits until there may be something to read, and has everything read by `pump`.
    pub(super) async fn next(&self, pump: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.0.readable().await?;
        // What comes after `pump` has found nothing more is noticed: this forgets only what was known
        // before it.
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
