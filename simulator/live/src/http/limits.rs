//! What a client may take of the host.

use std::time::Duration;

/// The connections to the Unix socket, and to the ports, at the same time.
pub(super) const CONNECTIONS: usize = 128;
/// The followers of the stream.
pub(super) const STREAMS: usize = 32;
/// The terminals.
pub(super) const TERMINALS: usize = 16;
/// The files that are on their way at the same time. Others wait.
pub(super) const FILES: usize = 4;

/// The size of what is asked, in bytes.
pub(super) const BODY: usize = 1 << 20;
/// The size of a file for the guest, in bytes.
pub(crate) const FILE: usize = 16 << 20;
/// The size of the headers of a request, and of what is kept for a slow reader, in bytes.
pub(super) const BUFFER: usize = 64 << 10;
/// The size of a message from a terminal's client, in bytes.
pub(super) const MESSAGE: usize = 64 << 10;
/// The pieces of a terminal's output that are kept for a slow client; then output is lost.
pub(super) const PIECES_BEHIND: usize = 256;
/// The lines that a screen keeps of what has scrolled away.
pub(super) const SCROLLBACK: usize = 1000;

/// The time for the headers of a request; also how long a connection may idle.
pub(super) const HEADERS: Duration = Duration::from_secs(30);
/// The time for the body of a request.
pub(super) const BODY_TIME: Duration = Duration::from_secs(60);
/// The time between two signs of life of a stream.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The time between two pictures of a screen: 30 a second.
pub(super) const FRAME: Duration = Duration::from_millis(33);
/// The time for the last answers when serving ends.
pub(super) const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// The time for files that are being read when serving ends.
pub(super) const LAST_FILES: Duration = Duration::from_millis(500);
