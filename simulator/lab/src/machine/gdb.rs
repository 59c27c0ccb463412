//! QEMU's gdbserver, behind a socket of the lab's: so the lab knows when gdb has gone, and tidies up
//! after one that did not.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{listen, qmp::Qmp};
use crate::{LabError, Result};

/// The sockets in the work directory: what gdb connects to, and what QEMU listens on.
const GDB_SOCKET: &str = "gdb.sock";
const QEMU_SOCKET: &str = "gdbserver.sock";

/// The interrupt of gdb's protocol, and the packet that takes leave: all breakpoints go with it.
const INTERRUPT: &[u8] = b"\x03";
const DETACH: &[u8] = b"$D#44";
/// How such a packet begins.
const DETACHES: &[u8] = b"$D";
/// What QEMU is given to act on either.
const MOMENT: Duration = Duration::from_millis(100);

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
    /// afterwards.
    ///
    /// # Errors
    /// When a socket fails.
    pub async fn serve(&self, enough: impl Future<Output = ()>) -> io::Result<()> {
        tokio::pin!(enough);
        let gdb = tokio::select! {
            accepted = self.listener.accept() => accepted?.0,
            () = &mut enough => return Ok(()),
        };
        let (from_gdb, to_gdb) = gdb.into_split();
        let (from_qemu, mut to_qemu) = UnixStream::connect(&self.server).await?.into_split();
        let mut detached = false;
        let relayed = tokio::select! {
            relayed = forth(from_gdb, &mut to_qemu, &mut detached) => relayed,
            relayed = back(from_qemu, to_gdb) => relayed,
            () = enough => Ok(()),
        };
        if !detached {
            part(&mut to_qemu).await;
        }
        relayed
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

/// What gdb says, until it has nothing more to say.
async fn forth(
    mut gdb: OwnedReadHalf,
    qemu: &mut OwnedWriteHalf,
    detached: &mut bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = gdb.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        *detached |= buffer[..count].windows(DETACHES.len()).any(|bytes| bytes == DETACHES);
        qemu.write_all(&buffer[..count]).await?;
    }
}

async fn back(mut qemu: OwnedReadHalf, mut gdb: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut qemu, &mut gdb).await.map(drop)
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
