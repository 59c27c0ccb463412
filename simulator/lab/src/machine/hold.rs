//! A guest that is held in the middle of what it does, to be looked at.
//!
//! Nothing of it reaches the guest. Its question is answered as if it were not held, and QEMU, which has
//! been told to stop by then, stops it: at once, or after a few questions more. Whoever drives the keeper
//! waits for the next question meanwhile, and whoever waits for the agent has all the patience in the
//! world.

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

/// What QEMU is given to read that it is to stop, before the guest's question is answered. It makes no
/// difference to the guest, only to how soon it stops.
const LEAD: Duration = Duration::from_millis(50);

/// A guest that stands still, or will in a moment. It goes on when this is dropped.
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
    /// Has the guest stopped, wherever it is. To be called while its question is open (or anywhere, in
    /// real time), and to be followed by whatever would have been done without it.
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
    /// Waits until nobody holds the guest. Its keeper has to be driven meanwhile: QEMU may not have come to
    /// stopping it yet.
    pub async fn let_go(&self) {
        self.link.patience().unheld().await;
    }
}

impl Hold {
    /// Waits until the guest stands still.
    ///
    /// # Errors
    /// `Qmp`, or `GuestGone` when it ends instead.
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

    /// Waits for the end of the guest.
    pub async fn ended(&mut self) -> ExitReason {
        ended(&mut self.exit).await
    }

    /// Opens QEMU's gdbserver on a socket in the work directory.
    ///
    /// # Errors
    /// `Qmp` with QEMU's own words, `File` when there can be no socket.
    pub async fn open_gdb(&mut self) -> Result<GdbPort> {
        self.stopped().await?;
        GdbPort::open(Arc::clone(&self.qmp), &self.dir).await
    }

    /// The directory of the machine, which ends with it.
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
