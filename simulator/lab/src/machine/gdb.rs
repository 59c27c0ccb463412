//! QEMU's gdbserver, behind a socket of the lab's: so the lab knows when gdb has gone, and tidies up
//! after one that did not.

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

/// The sockets in the work directory: what gdb connects to, and what QEMU listens on.
const GDB_SOCKET: &str = "gdb.sock";
const QEMU_SOCKET: &str = "gdbserver.sock";

/// The interrupt of gdb's protocol, and the packet that takes leave: all breakpoints go with it.
const INTERRUPT: &[u8] = b"\x03";
const DETACH: &[u8] = b"$D#44";
/// How such a packet begins; those that let the guest go on, or take a step; and QEMU's word that it has
/// run into a breakpoint, or taken the step.
const DETACHES: &[u8] = b"$D";
const RESUMES: [&[u8]; 5] = [b"$vCont;", b"$c", b"$C", b"$s", b"$S"];
const TRAPPED: &[u8] = b"$T05";
/// What QEMU is given to act on either.
const MOMENT: Duration = Duration::from_millis(100);

/// What a gdb has done to a guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visit {
    /// It had the guest run into a breakpoint, or take a step. Where QEMU emulates a processor in exact
    /// time, the guest's clock jumps to its next timer then: `main_loop_wait` takes a processor that is
    /// stopped for one that idles. Looking, and being stopped otherwise, changes nothing.
    pub trapped: bool,
}

/// What was heard of the conversation.
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

/// Where gdb can connect to the guest. Closed when dropped; the guest may stand still then.
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

    /// What `target remote` is to be given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until a gdb has come and gone, or for the end of `enough`. There are no breakpoints
    /// afterwards. Answers what it has done to the guest.
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

/// Passes on what one end says, until it has nothing more to say.
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

/// Takes leave for a gdb that did not. To a guest that runs QEMU listens only after an interrupt.
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
        // On connecting it asks why the guest stands still.
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
