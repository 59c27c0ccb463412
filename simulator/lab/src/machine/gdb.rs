//! QEMU's gdbserver behind a socket of the lab's, so that the lab notices when gdb disconnects, and can
//! detach for a gdb that did not.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{launch::listen, qmp::Qmp};
use crate::{LabError, Result};

/// Sockets in the work directory: gdb connects to the first, QEMU listens on the second.
const GDB_SOCKET: &str = "gdb.sock";
const QEMU_SOCKET: &str = "gdbserver.sock";

/// gdb's interrupt byte, and the detach packet, which removes all breakpoints.
const INTERRUPT: &[u8] = b"\x03";
const DETACH: &[u8] = b"$D#44";
/// The beginning of a detach packet; of the packets that continue or step; and of QEMU's stop reply for a
/// breakpoint or step.
const DETACHES: &[u8] = b"$D";
const RESUMES: [&[u8]; 5] = [b"$vCont;", b"$c", b"$C", b"$s", b"$S"];
const TRAPPED: &[u8] = b"$T05";
/// How long QEMU gets to act on each of the two.
const MOMENT: Duration = Duration::from_millis(100);

/// What a gdb session did to the guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visit {
    /// The guest ran into a breakpoint or was stepped. In exact time under TCG the guest's clock then jumps
    /// to its next timer: `main_loop_wait` mistakes a stopped processor for an idle one. Inspection and
    /// other stops change nothing.
    pub trapped: bool,
}

/// What was seen in the packets.
#[derive(Debug, Default)]
struct Heard {
    resumed: AtomicBool,
    trapped: AtomicBool,
    detached: AtomicBool,
}

impl Heard {
    fn said(&self, bytes: &[u8]) {
        self.detached.fetch_or(has(bytes, DETACHES), Relaxed);
        self.resumed.fetch_or(RESUMES.iter().any(|packet| has(bytes, packet)), Relaxed);
    }

    fn answered(&self, bytes: &[u8]) {
        self.trapped.fetch_or(self.resumed.load(Relaxed) && has(bytes, TRAPPED), Relaxed);
    }
}

fn has(bytes: &[u8], packet: &[u8]) -> bool {
    bytes.windows(packet.len()).any(|window| window == packet)
}

/// A socket on which gdb can connect to the guest. Dropping it closes the socket; the guest may be stopped
/// then.
#[derive(Debug)]
pub struct GdbPort {
    qmp: Arc<Qmp>,
    listener: UnixListener,
    path: PathBuf,
    server: PathBuf,
}

impl GdbPort {
    pub(super) async fn open(qmp: Arc<Qmp>, dir: &Path) -> Result<GdbPort> {
        let (path, server) = (dir.join(GDB_SOCKET), dir.join(QEMU_SOCKET));
        let listener = listen(&path)?;
        // QEMU runs in the work directory.
        let command = format!("gdbserver unix:{QEMU_SOCKET},server=on,wait=off");
        let said = qmp.human(&command).await?;
        if !server.exists() {
            return Err(LabError::Qmp { command, why: said.trim().to_owned() });
        }
        Ok(GdbPort { qmp, listener, path, server })
    }

    /// The socket for gdb's `target remote`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves one gdb session, until gdb disconnects or `enough` returns. Removes all breakpoints at the
    /// end. Returns what the session did to the guest.
    ///
    /// # Errors
    /// When a socket fails.
    pub async fn serve(&self, enough: impl Future<Output = ()>) -> io::Result<Visit> {
        tokio::pin!(enough);
        let gdb = tokio::select! {
            accepted = self.listener.accept() => accepted?.0,
            () = &mut enough => return Ok(Visit::default()),
        };
        let (from_gdb, mut to_gdb) = gdb.into_split();
        let (from_qemu, mut to_qemu) = UnixStream::connect(&self.server).await?.into_split();
        let seen = Heard::default();
        let relayed = tokio::select! {
            relayed = relay(from_gdb, &mut to_qemu, |bytes| seen.said(bytes)) => relayed,
            relayed = relay(from_qemu, &mut to_gdb, |bytes| seen.answered(bytes)) => relayed,
            () = enough => Ok(()),
        };
        if !seen.detached.load(Relaxed) {
            part(&mut to_qemu).await;
        }
        relayed.map(|()| Visit { trapped: seen.trapped.load(Relaxed) })
    }
}

impl Drop for GdbPort {
    fn drop(&mut self) {
        let qmp = Arc::clone(&self.qmp);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = qmp.human("gdbserver none").await {
                tracing::debug!("gdbserver is not closed: {error}");
            }
        });
    }
}

/// Copies bytes from one end to the other until the end of the stream.
async fn relay(
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    hear: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        hear(&buffer[..count]);
        to.write_all(&buffer[..count]).await?;
    }
}

/// Detaches for a gdb that did not. While the guest runs, QEMU listens only after an interrupt.
async fn part(qemu: &mut OwnedWriteHalf) {
    for words in [INTERRUPT, DETACH] {
        if qemu.write_all(words).await.is_err() {
            return;
        }
        tokio::time::sleep(MOMENT).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gdb_does_is_heard() {
        let seen = Heard::default();
        // On connecting, gdb asks why the guest is stopped.
        seen.said(b"+$?#3f");
        seen.answered(b"+$T05thread:01;#07");
        assert!(!seen.trapped.load(Relaxed));
        seen.said(b"$vCont;c:1#15");
        assert!(!seen.trapped.load(Relaxed));
        seen.answered(b"+$T05thread:01;#07");
        assert!(seen.trapped.load(Relaxed) && !seen.detached.load(Relaxed));
        seen.said(DETACH);
        assert!(seen.detached.load(Relaxed));
    }
}
