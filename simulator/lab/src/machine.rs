//! A running guest: QEMU's process, its monitor, and what it was given.
//!
//! | file | what it is about |
//! |---|---|
//! | [`config`], [`accel`], [`time_mode`], [`command_line`] | what a machine is made of, and how QEMU is told |
//! | [`launch`], [`process`] | starting QEMU, and connecting to it |
//! | [`qmp`], [`console`], [`exit`], [`gdb`] | what QEMU is told and says: its monitor, the serial console, its end, its gdbserver |
//! | [`gauge`] | what a machine occupies of the host's memory |
//! | [`services`] | daemons of the userland that are started at boot |
//! | [`hold`], [`saving`] | stopping a guest wherever it is; saving it, and going on from there |

mod accel;
mod command_line;
mod config;
mod console;
mod exit;
mod gauge;
mod gdb;
mod hold;
mod launch;
mod process;
mod qmp;
mod saving;
mod services;
mod time_mode;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sansim_protocol::{Call, Event};
use tokio::sync::{Notify, mpsc, oneshot, watch};

#[cfg(test)]
pub(crate) use self::config::sample;
pub use self::{
    accel::Accel,
    command_line::kernel_command_line,
    config::{Boot, HbaSocket, MachineConfig, hba_address, hba_slot},
    exit::ExitReason,
    gauge::MemoryGauge,
    gdb::{GdbPort, Visit},
    hold::Hold,
    services::{Services, UdevRules},
    time_mode::TimeMode,
};
use self::{
    command_line::Start,
    process::{ended, ends_now},
    qmp::Qmp,
};
pub(crate) use self::{command_line::shape, console::Console};
use crate::{
    AgentLink, Keeper, LabError, Result,
    agent::{Ready, check_version},
    exact::Register,
    host::cpu_time,
    ram::Ram,
    saved::{Moment, TemplateMemory},
};

/// Loaded in every guest before it is handed over, and before a template is taken of it. Not the
/// device handlers: which of them are loaded, and when, is what scenarios are about.
pub(crate) const BASE_MODULES: &[&str] =
    &["virtio_blk", "squashfs", "virtio_scsi", "sd_mod", "dm_multipath", "dm_service_time"];

/// How long a guest is left alone before it is saved: udev events and late work queues settle.
const SETTLE: Duration = Duration::from_millis(200);
/// The same where it costs nothing: in exact time also what the kernel puts off for seconds after boot
/// is done, such as calibrating its clock.
const SETTLE_EXACT: Duration = Duration::from_secs(10);
/// How much of an idle guest's time may go by, in exact time, until QEMU has stopped it. Nothing is done
/// in it, by a run that boots the guest neither, so that where the guest was saved makes no difference.
const STOPPING: Duration = Duration::from_secs(3);

/// A running guest. Dropping it kills QEMU.
#[derive(Debug)]
pub struct Machine {
    link: AgentLink,
    events: Option<mpsc::Receiver<Event>>,
    exit: watch::Receiver<Option<ExitReason>>,
    kill: Arc<Notify>,
    qmp: Arc<Qmp>,
    console: Console,
    pid: Option<u32>,
    ram: Arc<Ram>,
    /// The memory of the template that it was restored from.
    template: Option<Arc<TemplateMemory>>,
    keeper: Option<Keeper>,
    /// What the guest asks through; none in real time.
    register: Option<Arc<Register>>,
    work_dir: PathBuf,
}

impl Machine {
    /// Boots a guest. Returns when its agent is ready and the base modules (virtio_scsi, sd_mod,
    /// dm-multipath, dm-service-time and what the userland's disk needs) are loaded and its services
    /// have started, with no disk scanned yet, and when the guest has come to rest. In exact time it
    /// stands still then.
    ///
    /// # Errors
    /// `Start` with QEMU's own words, `BootTimeout`, `GuestGone`, `AgentVersion`, `BadMachine`…
    pub async fn cold(config: MachineConfig) -> Result<Machine> {
        let mut machine = Machine::boot(&config).await?;
        if let Some(keeper) = &mut machine.keeper
            && let Some(now) = keeper.now()
        {
            // As long as it may take to stop one that becomes a template.
            keeper.sleep_until(now + STOPPING).await?;
        }
        // What was said of the boot is on the console; nobody hears it from a template either.
        while machine.events.as_mut().is_some_and(|events| events.try_recv().is_ok()) {}
        machine.link.count_anew();
        Ok(machine)
    }

    /// Boots a guest that can be saved.
    pub(crate) async fn boot(config: &MachineConfig) -> Result<Machine> {
        let deadline = match config.accel {
            Accel::Kvm => Duration::from_secs(60),
            Accel::Tcg => Duration::from_secs(180),
        };
        let ram = Arc::new(Ram::new(config.memory_mib)?);
        let (mut machine, ready) =
            Machine::launch(config, Start::Boot, ram, Moment::default()).await?;
        let mut keeper = machine.keeper.take();
        if let Some(keeper) = &mut keeper {
            keeper.drive(machine.ready(ready, deadline)).await??;
        }
        machine.keeper = keeper;
        let modules = BASE_MODULES.iter().map(|name| (*name).to_owned()).collect();
        let load = machine.link.clone();
        let load = load.call(Call::LoadModules { modules });
        if let Some(keeper) = &mut machine.keeper {
            keeper.drive(load).await??;
            services::start(config.services, &machine.link, keeper).await?;
            rest(&machine.link, keeper).await?;
        }
        Ok(machine)
    }

    /// Boots with early messages on the console, and says whether the agent got ready. Without any
    /// sign of life on the console the shorter deadline holds.
    pub(crate) async fn probe(
        config: &MachineConfig,
        silent: Duration,
        deadline: Duration,
    ) -> Result<()> {
        let ram = Arc::new(Ram::new(config.memory_mib)?);
        let (machine, ready) =
            Machine::launch(config, Start::Probe, ram, Moment::default()).await?;
        let console = machine.console.clone();
        let dead = async {
            tokio::time::sleep(silent).await;
            if console.len() > 0 {
                std::future::pending::<()>().await;
            }
        };
        let result = tokio::select! {
            ready = machine.ready(ready, deadline) => ready.map(|_| ()),
            () = dead => Err(LabError::start(format!("the kernel printed nothing within {} s", silent.as_secs()))),
        };
        machine.kill().await;
        result
    }

    /// Waits until the agent is ready.
    async fn ready(
        &self,
        ready: oneshot::Receiver<Result<Ready, String>>,
        deadline: Duration,
    ) -> Result<Ready> {
        let ready = tokio::select! {
            biased;
            Ok(ready) = ready => ready.map_err(|why| LabError::AgentGarbled { why })?,
            reason = self.exited() => return Err(self.gone(reason)),
            () = tokio::time::sleep(deadline) => {
                let (seconds, console) = (deadline.as_secs(), self.console.excerpt());
                return Err(LabError::BootTimeout { seconds, console });
            }
        };
        check_version(&ready)?;
        Ok(ready)
    }

    /// A command to the monitor; when QEMU ends meanwhile, that is the error.
    pub(crate) async fn or_gone<T>(&self, command: impl Future<Output = Result<T>>) -> Result<T> {
        match command.await {
            Ok(value) => Ok(value),
            Err(error) => {
                let ended = ends_now(&mut self.exit.clone()).await;
                Err(ended.map_or(error, |reason| self.gone(reason)))
            }
        }
    }

    fn gone(&self, reason: ExitReason) -> LabError {
        LabError::GuestGone { reason, console: self.console.excerpt() }
    }

    /// The agent of this guest.
    pub fn agent(&self) -> AgentLink {
        self.link.clone()
    }

    /// What the agent reports of its own accord, oldest first; the first caller gets it, later ones
    /// `None`. It ends when the guest does. When 65536 events wait, further ones are dropped and
    /// counted in a [`Happening::Lost`](sansim_protocol::Happening).
    pub fn events(&mut self) -> Option<mpsc::Receiver<Event>> {
        self.events.take()
    }

    /// The keeper of the guest's clock; the first caller gets it, later ones `None`. In skipped time
    /// the guest stands still until it is driven.
    pub fn keeper(&mut self) -> Option<Keeper> {
        self.keeper.take()
    }

    /// Waits for the end of the guest.
    pub async fn exited(&self) -> ExitReason {
        ended(&mut self.exit.clone()).await
    }

    /// Waits for the end of the guest, and tells of it as an error: `GuestGone`, with the end of the
    /// console.
    pub async fn failed(&self) -> LabError {
        self.gone(self.exited().await)
    }

    /// Ends the guest at once, and waits until QEMU is gone.
    pub async fn kill(self) {
        self.kill.notify_one();
        self.exited().await;
    }

    /// The version of QEMU, for instance `7.2.22`.
    pub fn qemu_version(&self) -> &str {
        self.qmp.version()
    }

    /// The CPU time that QEMU has spent, to 10 ms; `None` once it has ended.
    pub fn cpu_time(&self) -> Option<Duration> {
        cpu_time(self.pid?)
    }

    /// What QEMU and the guest's memory occupy on the host, in bytes; `None` once QEMU has ended.
    pub fn memory_usage(&self) -> Option<u64> {
        self.gauge().bytes()
    }

    /// Tells the same, and outlives the machine.
    pub fn gauge(&self) -> MemoryGauge {
        MemoryGauge { pid: self.pid, ram: Arc::downgrade(&self.ram) }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill.notify_one();
    }
}

/// Lets the guest come to rest, and drops what it can read again: less to save and to restore.
async fn rest(agent: &AgentLink, keeper: &mut Keeper) -> Result<()> {
    let path = "/proc/sys/vm/drop_caches".to_owned();
    keeper.drive(agent.call(Call::WriteFile { path, text: "3".into() })).await??;
    match keeper.now() {
        None => {
            keeper.sleep(SETTLE).await?;
            agent.call(Call::Hello).await.map(drop)
        }
        Some(now) => keeper.sleep_until(now + SETTLE_EXACT).await,
    }
}
