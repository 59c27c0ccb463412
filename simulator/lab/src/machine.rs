//! A running guest: QEMU's process, its monitor, and its configuration.
//!
//! | file | contents |
//! |---|---|
//! | [`config`], [`accel`], [`time_mode`], [`command_line`] | configuration, and QEMU's command line |
//! | [`confine`] | what QEMU may do |
//! | [`launch`], [`process`] | starting QEMU, and connecting to it |
//! | [`qmp`], [`console`], [`exit`], [`gdb`] | monitor, serial console, QEMU's exit, gdbserver |
//! | [`gauge`] | how much host memory a machine uses |
//! | [`marking`] | which code of its modules a guest has executed |
//! | [`services`] | the userland's daemons that are started at boot |
//! | [`hold`], [`saving`] | stopping a guest at any point, saving it, and restoring it |

mod accel;
mod command_line;
mod config;
mod confine;
mod console;
mod exit;
mod gauge;
mod gdb;
mod hold;
mod launch;
mod marking;
mod process;
mod qmp;
mod saving;
mod services;
mod time_mode;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sansim_marks::Marks;
use sansim_protocol::{Call, Event};
use tokio::sync::{Notify, mpsc, oneshot, watch};

#[cfg(test)]
pub(crate) use self::config::sample;
pub use self::{
    accel::Accel,
    command_line::kernel_command_line,
    config::{Boot, HbaSocket, MachineConfig, hba_address, hba_slot},
    confine::Confinement,
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

/// Loaded in every guest, before a template is made of it. The device handlers are not among them:
/// scenarios decide which of them are loaded, and when.
pub(crate) const BASE_MODULES: &[&str] =
    &["virtio_blk", "squashfs", "virtio_scsi", "sd_mod", "dm_multipath", "dm_service_time"];

/// How long a guest is left idle before it is saved, so that udev events and work queues settle.
const SETTLE: Duration = Duration::from_millis(200);
/// The same in exact time, where waiting costs little host time. It covers work that the kernel defers for
/// seconds after boot, such as clock calibration.
const SETTLE_EXACT: Duration = Duration::from_secs(10);
/// How long a killed QEMU may take to exit. It takes milliseconds unless the host is stuck (a disk that does
/// not answer); then it is left to the kernel.
const DYING: Duration = Duration::from_secs(20);
/// Most guest time that may pass in exact time until QEMU has stopped an idle guest. Nothing is done to the
/// guest during this time. A run that boots its guest waits as long, so it makes no difference when the
/// guest was saved.
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
    /// The memory of the template that this guest was restored from.
    template: Option<Arc<TemplateMemory>>,
    keeper: Option<Keeper>,
    /// The hypercall's register; `None` in real time.
    register: Option<Arc<Register>>,
    work_dir: PathBuf,
    /// What was executed before this QEMU was started; `None` if executed code is not marked.
    earlier_marks: Option<Marks>,
}

impl Machine {
    /// Boots a guest. Returns when its agent is ready, the base modules are loaded (virtio_scsi, sd_mod,
    /// dm-multipath, dm-service-time and those for the userland's disk), its services have started and the
    /// guest is idle. No disk has been scanned by then. In exact time the guest stands still.
    ///
    /// # Errors
    /// `Start` with QEMU's message, `BootTimeout`, `GuestGone`, `AgentVersion`, `BadMachine`…
    pub async fn cold(config: MachineConfig) -> Result<Machine> {
        let mut machine = Machine::boot(&config).await?;
        if let Some(keeper) = &mut machine.keeper
            && let Some(now) = keeper.now()
        {
            // As long as stopping a guest for a template may take.
            keeper.sleep_until(now + STOPPING).await?;
        }
        // Boot messages are on the console. A restored guest does not report them either.
        while machine.events.as_mut().is_some_and(|events| events.try_recv().is_ok()) {}
        machine.link.count_anew();
        Ok(machine)
    }

    /// Boots a guest up to the point where it can be saved.
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

    /// Boots with early console messages, and checks that the agent becomes ready. The shorter limit
    /// `silent` applies until the first console output.
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

    /// Runs a monitor command. If QEMU ends meanwhile, the error is `GuestGone`.
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

    /// A link to the guest's agent.
    pub fn agent(&self) -> AgentLink {
        self.link.clone()
    }

    /// The agent's events, oldest first. The first caller gets the receiver, later ones `None`. The channel
    /// is closed when the guest ends. When 65536 events wait, further ones are dropped and counted in a
    /// [`Happening::Lost`](sansim_protocol::Happening).
    pub fn events(&mut self) -> Option<mpsc::Receiver<Event>> {
        self.events.take()
    }

    /// The keeper of the guest's clock. The first caller gets it, later ones `None`. In skipped time the
    /// guest stands still until the keeper is driven.
    pub fn keeper(&mut self) -> Option<Keeper> {
        self.keeper.take()
    }

    /// Waits until the guest has ended.
    pub async fn exited(&self) -> ExitReason {
        ended(&mut self.exit.clone()).await
    }

    /// Waits until the guest has ended, and returns that as an error: `GuestGone`, with the end of the
    /// console.
    pub async fn failed(&self) -> LabError {
        self.gone(self.exited().await)
    }

    /// Kills QEMU, and waits until it has exited.
    pub async fn kill(self) {
        self.kill.notify_one();
        if tokio::time::timeout(DYING, self.exited()).await.is_err() {
            tracing::error!("QEMU was killed, and has not exited within {} s", DYING.as_secs());
        }
        self.console.say_where_it_was_cut();
    }

    /// QEMU's version, for instance `7.2.22`.
    pub fn qemu_version(&self) -> &str {
        self.qmp.version()
    }

    /// CPU time of QEMU, with a resolution of 10 ms; `None` once it has ended.
    pub fn cpu_time(&self) -> Option<Duration> {
        cpu_time(self.pid?)
    }

    /// Host memory of QEMU and the guest, in bytes; `None` once QEMU has ended.
    pub fn memory_usage(&self) -> Option<u64> {
        self.gauge().bytes()
    }

    /// A handle that reports [`memory_usage`](Machine::memory_usage) without owning the machine.
    pub fn gauge(&self) -> MemoryGauge {
        MemoryGauge { pid: self.pid, ram: Arc::downgrade(&self.ram) }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill.notify_one();
    }
}

/// Drops the guest's page cache and waits until the guest is idle, so that less has to be saved and
/// restored.
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
