//! A running guest.

mod checkpoint;
mod command_line;
mod config;
mod console;
mod exit;
mod gauge;
mod gdb;
mod hold;
mod memory;
mod pages;
mod process;
mod qmp;
mod ram;
mod services;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sansim_protocol::{Call, Event};
use tokio::{
    net::UnixListener,
    process::Child,
    sync::{Notify, mpsc, oneshot, watch},
};

#[cfg(test)]
pub(crate) use self::config::sample;
pub use self::{
    checkpoint::Checkpoint,
    command_line::kernel_command_line,
    config::{Boot, HbaSocket, MachineConfig, hba_address, hba_slot},
    exit::ExitReason,
    gauge::MemoryGauge,
    gdb::{GdbPort, Visit},
    hold::Hold,
    services::{Services, UdevRules},
};
use self::{
    command_line::{AGENT_SOCKET, QMP_SOCKET, arguments},
    memory::LOADING,
    process::{Stderr, spawn},
    qmp::{Qmp, Watch},
    ram::Ram,
};
pub(crate) use self::{
    command_line::{Start, shape},
    console::Console,
    memory::{Base, BaseId, SavedMemory},
};
use crate::{
    Accel, AgentLink, Device, Keeper, LabError, Result, Template, TimeMode,
    agent::{Connected, LAST_WORDS, Lines, Ready, check_version},
    cpu,
    exact::{DISK_SOCKET, REGISTER_SOCKET, Register, UserlandDisk},
    template::Moment,
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

/// How long a restored guest may take to answer. It goes on where it was, so this is for slow hosts
/// only.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// The link in the work directory to the state of a template. QEMU runs in the work directory and
/// is told this name, so that no path needs quoting.
const STATE: &str = "state";

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
    base: Option<Arc<Base>>,
    keeper: Option<Keeper>,
    /// In exact time.
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

    /// Starts a guest from a template made for such a machine: where [`cold`](Machine::cold) has it.
    ///
    /// # Errors
    /// `BadTemplate` when the template does not restore; it has been thrown away then. Others as
    /// for [`cold`](Machine::cold).
    pub async fn restore(config: MachineConfig, template: &Template) -> Result<Machine> {
        let result = async {
            let (moment, state) = (template.moment()?, template.state());
            let memory = SavedMemory::of(template.memory()?);
            let mut machine = Machine::load(&config, moment, &state, memory).await?;
            let qmp = Arc::clone(&machine.qmp);
            let continued = tokio::spawn(async move { qmp.go_on().await });
            if config.time == TimeMode::Real {
                continued.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
                machine.link.call_within(Call::Hello, ANSWER_DEADLINE).await?;
            } else if let Some(keeper) = &mut machine.keeper {
                keeper.sleep_until(moment.resumes()).await?;
            }
            Ok(machine)
        };
        let error = match result.await {
            Ok(machine) => return Ok(machine),
            Err(error) => error,
        };
        match error {
            // What has nothing to do with the template: no QEMU, no backend, a bad configuration.
            LabError::MissingTool { .. } | LabError::BadMachine { .. } => Err(error),
            LabError::File { doing, .. } if doing != LOADING => Err(error),
            LabError::Start { ref why } if why.contains("Failed to connect") => Err(error),
            error => {
                template.throw_away();
                let path = template.path().to_owned();
                Err(LabError::BadTemplate { path, why: error.to_string() })
            }
        }
    }

    /// Starts QEMU with a guest that was saved, which stands still.
    async fn load(
        config: &MachineConfig,
        moment: Moment,
        state: &Path,
        memory: SavedMemory,
    ) -> Result<Machine> {
        // The memory is copied while QEMU starts.
        let ram = Arc::new(Ram::new(config.memory_mib)?);
        let (into, base) = (Arc::clone(&ram), memory.base.clone());
        let loading = tokio::task::spawn_blocking(move || memory.load_into(&into));
        link(&config.work_dir.join(STATE), state)?;
        let (mut machine, _) = Machine::launch(config, Start::Restore, ram, moment).await?;
        machine.base = base;
        loading.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))?;
        machine.or_gone(machine.qmp.load(STATE)).await?;
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
            () = dead => Err(LabError::Start {
                why: format!("the kernel printed nothing within {} s", silent.as_secs()),
            }),
        };
        machine.kill().await;
        result
    }

    /// Starts QEMU, and connects to its monitor and to the agent.
    async fn launch(
        config: &MachineConfig,
        start: Start,
        ram: Arc<Ram>,
        moment: Moment,
    ) -> Result<(Machine, oneshot::Receiver<Result<Ready, String>>)> {
        config.check()?;
        let monitor = listen(&config.work_dir.join(QMP_SOCKET))?;
        let console = Console::new(&config.console);
        let (exit_sender, mut exit) = watch::channel(None);
        let (connected, lines) = AgentLink::with_lines(exit.clone(), console.clone());
        let Connected { link, events, ready } = connected;
        let ends = Ends::new(config, start, &ram, &link, lines, moment)?;
        let mut child = spawn(arguments(config, start, &ram.path()), &config.work_dir).await?;
        let pid = child.id();
        let stderr = Stderr::default();
        let reading = child.stderr.take().map(|pipe| tokio::spawn(stderr.clone().follow(pipe)));
        let kill = Arc::new(Notify::new());
        let (watch_sender, watch) = oneshot::channel();
        let supervisor = Supervisor { child, kill: Arc::clone(&kill), stderr, reading, watch };
        tokio::spawn(supervisor.run(exit_sender));
        // From here on QEMU is killed when this function fails or is abandoned.
        let guard = KillOnDrop(Some(Arc::clone(&kill)));
        let connected = async {
            let (qmp, watch) = Qmp::accept(&monitor).await?;
            let _ = watch_sender.send(watch);
            Ok((qmp, ends.connect().await?))
        };
        let mut early = exit.clone();
        let connected = tokio::select! {
            connected = connected => connected,
            reason = ended(&mut early) => Err(LabError::Start { why: reason.to_string() }),
        };
        let (qmp, (keeper, register)) = match connected {
            Ok(connected) => connected,
            Err(error) => {
                // A broken connection says less than QEMU's last words, which come a moment later.
                let last = tokio::time::timeout(LAST_WORDS, ended(&mut exit)).await;
                return Err(match last {
                    Ok(reason) => LabError::Start { why: reason.to_string() },
                    Err(_) => error,
                });
            }
        };
        guard.disarm();
        let (events, keeper, qmp) = (Some(events), Some(keeper), Arc::new(qmp));
        let work_dir = config.work_dir.clone();
        let machine = Machine {
            link,
            events,
            exit,
            kill,
            qmp,
            console,
            pid,
            ram,
            base: None,
            keeper,
            register,
            work_dir,
        };
        Ok((machine, ready))
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
                // The monitor's end comes a moment before that of the process.
                let ended = tokio::time::timeout(LAST_WORDS, self.exited()).await;
                Err(ended.map_or(error, |reason| self.gone(reason)))
            }
        }
    }

    fn gone(&self, reason: ExitReason) -> LabError {
        LabError::GuestGone { reason, console: self.console.excerpt() }
    }

    /// Stops the guest, writes its state and its memory to two new files, and ends it. Answers when it
    /// was; none if it was too late, on a host that is very busy.
    pub(crate) async fn save(
        mut self,
        config: &MachineConfig,
        state: &Path,
        ram: PathBuf,
    ) -> Result<Option<Moment>> {
        link(&config.work_dir.join(STATE), state)?;
        let moment = match self.keeper.take() {
            Some(mut keeper) => {
                let resumes = keeper.now().map(|now| now + STOPPING);
                keeper.have_asked_at(resumes);
                // The open question is answered when QEMU has been told to stop: it cannot before.
                keeper.drive(self.or_gone(self.qmp.stop())).await??;
                let late = resumes.zip(keeper.now()).is_some_and(|(at, now)| now >= at);
                if late {
                    return Ok(None);
                }
                let value = self.register.as_ref().map_or(0, |register| register.value());
                Moment::new(value, resumes)
            }
            None => Moment::default(),
        };
        self.or_gone(self.qmp.save(STATE)).await?;
        let memory = Arc::clone(&self.ram);
        self.kill().await;
        memory.write_to(ram).await?;
        Ok(Some(moment))
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
        cpu::cpu_time(self.pid?)
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

/// The lab's ends of what QEMU connects to, apart from its monitor.
enum Ends {
    /// The agent's port.
    Port(UnixListener, Lines),
    /// The register and the userland's disk, which serve from here on.
    Exact(Keeper, Arc<Register>),
}

impl Ends {
    fn new(
        config: &MachineConfig,
        start: Start,
        ram: &Ram,
        link: &AgentLink,
        lines: Lines,
        moment: Moment,
    ) -> Result<Ends> {
        if config.time == TimeMode::Real {
            return Ok(Ends::Port(listen(&config.work_dir.join(AGENT_SOCKET))?, lines));
        }
        let userland = &config.image.userland;
        let sockets =
            [DISK_SOCKET, REGISTER_SOCKET].map(|name| listen(&config.work_dir.join(name)));
        let [disk_socket, register_socket] = sockets;
        let disk = UserlandDisk::new(userland, ram.file(), start == Start::Restore)
            .map_err(LabError::file("cannot open", userland))?;
        let (register, asks) = Register::new(moment.register(), ram.file(), lines)
            .map_err(|e| LabError::Start { why: format!("its register: {e}") })?;
        until_end("the userland's disk", Arc::clone(&disk).attach(disk_socket?));
        until_end("the register", Arc::clone(&register).serve(register_socket?));
        let devices = vec![disk as Arc<dyn Device>];
        let keeper = Keeper::exact(link.clone(), Arc::clone(&register), asks, devices);
        Ok(Ends::Exact(keeper, register))
    }

    async fn connect(self) -> Result<(Keeper, Option<Arc<Register>>)> {
        match self {
            Ends::Port(port, lines) => {
                let accepted = port.accept().await;
                let (stream, _) = accepted.map_err(|e| LabError::Start { why: e.to_string() })?;
                tokio::spawn(lines.carry(stream));
                Ok((Keeper::real(), None))
            }
            Ends::Exact(keeper, register) => Ok((keeper, Some(register))),
        }
    }
}

/// Serves one of QEMU's connections until it ends, which QEMU's own end explains.
fn until_end(
    what: &'static str,
    serving: impl Future<Output = std::io::Result<()>> + Send + 'static,
) {
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::debug!("{what} is not served any more: {error}");
        }
    });
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

async fn ended(exit: &mut watch::Receiver<Option<ExitReason>>) -> ExitReason {
    match exit.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone().unwrap_or(ExitReason::Stopped),
        // The supervisor went away with its runtime, and QEMU with it.
        Err(_) => ExitReason::Stopped,
    }
}

/// A socket that QEMU is going to connect to.
fn listen(path: &Path) -> Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(LabError::file("cannot create", path))
}

/// A link, in place of an earlier one.
fn link(from: &Path, to: &Path) -> Result<()> {
    let _ = std::fs::remove_file(from);
    std::os::unix::fs::symlink(to, from).map_err(LabError::file("cannot create", from))
}

struct KillOnDrop(Option<Arc<Notify>>);

impl KillOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(kill) = &self.0 {
            kill.notify_one();
        }
    }
}

/// Waits for the end of QEMU, or brings it about, and says how it came.
struct Supervisor {
    child: Child,
    kill: Arc<Notify>,
    stderr: Stderr,
    reading: Option<tokio::task::JoinHandle<()>>,
    watch: oneshot::Receiver<Watch>,
}

impl Supervisor {
    async fn run(mut self, exit: watch::Sender<Option<ExitReason>>) {
        let (status, stopped) = tokio::select! {
            status = self.child.wait() => (status, false),
            () = self.kill.notified() => {
                let _ = self.child.start_kill();
                (self.child.wait().await, true)
            }
        };
        if let Some(reading) = self.reading {
            let _ = tokio::time::timeout(LAST_WORDS, reading).await;
        }
        let cause = match self.watch.try_recv() {
            Ok(watch) if !stopped => watch.cause().await,
            _ => None,
        };
        let reason = match status {
            Ok(status) => ExitReason::of(stopped, cause, status, self.stderr.text()),
            Err(error) => ExitReason::Failed { code: -1, stderr: error.to_string() },
        };
        exit.send_replace(Some(reason));
    }
}
