//! Holds a guest at any point, for inspection.
//!
//! The guest does not notice. Its open question is answered as usual. QEMU has already been told to stop,
//! and stops the guest at once or after a few more questions. Meanwhile the caller of the keeper waits for
//! the next question, and time limits for the agent are suspended.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};

use super::{
    ExitReason, Machine,
    gdb::GdbPort,
    process::{ended, ends_now},
    qmp::Qmp,
};
use crate::{LabError, Result, agent::Held, exact::Register, ram::Ram, saved::TemplateMemory};

/// How long QEMU gets to read the `stop` command before the guest's question is answered. It makes no
/// difference to the guest, only to how soon it stops.
const LEAD: Duration = Duration::from_millis(50);

/// A guest that is stopped, or is about to stop. Dropping this lets it continue.
#[derive(Debug)]
pub struct Hold {
    pub(super) qmp: Arc<Qmp>,
    stopped: Option<oneshot::Receiver<Result<()>>>,
    exit: watch::Receiver<Option<ExitReason>>,
    dir: PathBuf,
    held: Option<Held>,
    pub(super) ram: Arc<Ram>,
    pub(super) template: Option<Arc<TemplateMemory>>,
    pub(super) register: Option<Arc<Register>>,
}

impl Machine {
    /// Stops the guest wherever it is. In exact time, call this while its question is open. Then continue
    /// as if the guest were not held.
    pub async fn hold(&self) -> Hold {
        let held = Some(self.link.patience().hold());
        let (qmp, exit, dir) = (Arc::clone(&self.qmp), self.exit.clone(), self.work_dir.clone());
        let (told, stopped) = oneshot::channel();
        let stopping = Arc::clone(&qmp);
        tokio::spawn(async move {
            let _ = told.send(stopping.stop().await);
        });
        tokio::time::sleep(LEAD).await;
        let (ram, template) = (Arc::clone(&self.ram), self.template.clone());
        let register = self.register.clone();
        Hold { qmp, stopped: Some(stopped), exit, dir, held, ram, template, register }
    }
}

impl Machine {
    /// Waits until all holds are released. The keeper must be driven meanwhile, because QEMU may not have
    /// stopped the guest yet.
    pub async fn let_go(&self) {
        self.link.patience().unheld().await;
    }
}

impl Hold {
    /// Waits until the guest is stopped.
    ///
    /// # Errors
    /// `Qmp`, or `GuestGone` when the guest ends instead.
    pub async fn stopped(&mut self) -> Result<()> {
        let Some(stopped) = &mut self.stopped else { return Ok(()) };
        let mut exit = self.exit.clone();
        let result = tokio::select! {
            stopped = stopped => match stopped.unwrap_or(Ok(())) {
                Ok(()) => Ok(()),
                Err(error) => Err(ends_now(&mut self.exit.clone()).await.map_or(error, gone)),
            },
            reason = ended(&mut exit) => Err(gone(reason)),
        };
        self.stopped = None;
        result
    }

    /// Waits until the guest has ended.
    pub async fn ended(&mut self) -> ExitReason {
        ended(&mut self.exit).await
    }

    /// Opens QEMU's gdbserver on a socket in the work directory.
    ///
    /// # Errors
    /// `Qmp` with QEMU's message, `File` when the socket cannot be created.
    pub async fn open_gdb(&mut self) -> Result<GdbPort> {
        self.stopped().await?;
        GdbPort::open(Arc::clone(&self.qmp), &self.dir).await
    }

    /// The machine's work directory, which is removed with the machine.
    pub fn dir(&self) -> &std::path::Path {
        &self.dir
    }
}

fn gone(reason: ExitReason) -> LabError {
    LabError::GuestGone { reason, console: String::new() }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let (qmp, stopped, held) = (Arc::clone(&self.qmp), self.stopped.take(), self.held.take());
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Some(stopped) = stopped {
                let _ = stopped.await;
            }
            qmp.go_on().await;
            drop(held);
        });
    }
}
