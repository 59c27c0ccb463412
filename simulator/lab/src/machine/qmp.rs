//! The connection to QEMU's monitor, in the QEMU Machine Protocol (QMP).

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use qapi::{
    futures::{QapiService, QmpStreamTokio},
    qmp::{self, QmpCommand, RunState, ShutdownCause},
};
use tokio::{
    io::{AsyncWriteExt, WriteHalf},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use crate::{LabError, Result};

/// Polling interval during an incoming migration.
const POLL: Duration = Duration::from_millis(2);
/// How long QEMU may take to read a saved guest's devices. It takes some milliseconds.
const LOADING: Duration = Duration::from_secs(30);
/// The socket in QEMU's working directory on which it reads them. QEMU may start no program that would.
const INCOMING: &str = "incoming.sock";

pub(crate) struct Qmp {
    service: QapiService<QmpStreamTokio<WriteHalf<UnixStream>>>,
    version: String,
}

impl std::fmt::Debug for Qmp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qmp").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Collects the cause of a shutdown from the monitor's events.
#[derive(Debug)]
pub(crate) struct ShutdownWatch {
    cause: Arc<Mutex<Option<ShutdownCause>>>,
    task: JoinHandle<()>,
}

impl ShutdownWatch {
    /// The cause of QEMU's shutdown. Waits until all events have been read.
    pub(crate) async fn cause(mut self) -> Option<ShutdownCause> {
        let _ = tokio::time::timeout(Duration::from_secs(2), &mut self.task).await;
        self.cause.lock().ok().and_then(|cause| *cause)
    }
}

impl Qmp {
    /// Waits for QEMU to connect.
    pub(crate) async fn accept(listener: &UnixListener) -> Result<(Qmp, ShutdownWatch)> {
        let failed = |e: std::io::Error| LabError::start(format!("its monitor: {e}"));
        let (stream, _) = listener.accept().await.map_err(failed)?;
        let greeting = QmpStreamTokio::open(stream).await.map_err(failed)?;
        let triple = &greeting.capabilities.QMP.version.qemu;
        let version = format!("{}.{}.{}", triple.major, triple.minor, triple.micro);
        let stream = greeting.negotiate().await.map_err(failed)?;
        let (service, mut events) = stream.into_parts();
        let cause = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&cause);
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Ok(qmp::Event::SHUTDOWN { data, .. }) => {
                        if let Ok(mut seen) = seen.lock() {
                            seen.get_or_insert(data.reason);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!("the monitor cannot be read: {error}");
                        return;
                    }
                }
            }
        });
        Ok((Qmp { service, version }, ShutdownWatch { cause, task }))
    }

    /// QEMU's version from the greeting: `7.2.22`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    async fn execute<C: QmpCommand>(&self, command: C) -> Result<C::Ok> {
        self.service
            .execute(command)
            .await
            .map_err(|error| LabError::Qmp { command: C::NAME.to_owned(), why: error.to_string() })
    }

    /// `stop`: pauses the virtual processors.
    pub(crate) async fn stop(&self) -> Result<()> {
        self.execute(qmp::stop {}).await.map(|_| ())
    }

    /// `cont`: resumes the virtual processors. In exact time the reply may come only after the guest's next
    /// question, so the task that answers that question must not wait here. An exit of QEMU is noticed
    /// elsewhere.
    pub(crate) async fn go_on(&self) {
        if let Err(error) = self.execute(qmp::cont {}).await {
            tracing::debug!("the guest is not continued: {error}");
        }
    }

    /// Runs a command of the human monitor. Returns its output.
    pub(crate) async fn human(&self, line: &str) -> Result<String> {
        let command_line = line.to_owned();
        self.execute(qmp::human_monitor_command { command_line, cpu_index: None }).await
    }

    /// Writes the device state of a stopped guest, without its memory, to a file in QEMU's working
    /// directory. `migrate` would write more, and cannot be used while QEMU records (`replay_save_clock`
    /// aborts).
    pub(crate) async fn save(&self, file: &str) -> Result<()> {
        let command = qmp::xen_save_devices_state { filename: file.to_owned(), live: Some(false) };
        self.execute(command).await.map(|_| ())
    }

    /// Gives QEMU, which works in `work_dir`, a saved device state. QEMU exits if it does not accept it.
    pub(crate) async fn load(&self, work_dir: &Path, state: &[u8]) -> Result<()> {
        let uri = Some(format!("unix:{INCOMING}"));
        self.execute(qmp::migrate_incoming { uri, channels: None, exit_on_error: None }).await?;
        let failed = LabError::file("cannot write", "the saved guest's devices");
        let written = async {
            let mut to = UnixStream::connect(work_dir.join(INCOMING)).await?;
            to.write_all(state).await?;
            to.shutdown().await
        };
        let read = async {
            // QEMU has ended if the write fails, and its exit says more.
            written.await.map_err(failed)?;
            loop {
                match self.execute(qmp::query_status {}).await?.status {
                    RunState::inmigrate => tokio::time::sleep(POLL).await,
                    _ => return Ok(()),
                }
            }
        };
        let late = || LabError::start("it did not take up the saved guest in time");
        tokio::time::timeout(LOADING, read).await.map_err(|_| late())?
    }
}
