//! Starts QEMU, and accepts its connections.

use std::{path::Path, sync::Arc, time::Duration};

use sansim_marks::Marks;
use tokio::{
    net::UnixListener,
    sync::{oneshot, watch},
};

use super::{
    ExitReason, Machine, MachineConfig, TimeMode,
    command_line::{AGENT_SOCKET, QMP_SOCKET, Start, arguments},
    console::Console,
    marking,
    process::{ended, ends_now, not_started, spawn, supervise},
    qmp::Qmp,
};
use crate::{
    AgentLink, Device, Keeper, LabError, Result,
    agent::{Connected, Lines, Ready},
    exact::{DISK_SOCKET, REGISTER_SOCKET, Register, UserlandDisk},
    ram::Ram,
    saved::Moment,
};

/// How long QEMU may take to connect to everything. It takes a fraction of a second; longer means that the
/// host lacks something, or that an HBA cannot serve it.
const CONNECTING: Duration = Duration::from_secs(60);

impl Machine {
    /// Starts QEMU, and connects to its monitor and to the agent.
    pub(super) async fn launch(
        config: &MachineConfig,
        start: Start,
        ram: Arc<Ram>,
        moment: Moment,
    ) -> Result<(Machine, oneshot::Receiver<Result<Ready, String>>)> {
        config.check()?;
        marking::lay_out(config)?;
        let monitor = listen(&config.work_dir.join(QMP_SOCKET))?;
        let console = Console::new(&config.console);
        let (exit_sender, mut exit) = watch::channel(None);
        let (connected, lines) = AgentLink::with_lines(exit.clone(), console.clone());
        let Connected { link, events, ready } = connected;
        let ends = Ends::new(config, start, &ram, &link, lines, moment)?;
        let qemu = spawn(arguments(config, start), config, ram.file()).await?;
        let pid = qemu.id();
        // From here on QEMU is killed if this function fails or is cancelled.
        let (guard, monitored) = supervise(qemu, exit_sender);
        let connected = async {
            let (qmp, watch) = Qmp::accept(&monitor).await?;
            let _ = monitored.send(watch);
            Ok((qmp, ends.connect().await?))
        };
        let (qmp, (keeper, register)) = unless_ended(connected, &mut exit).await?;
        let machine = Machine {
            link,
            events: Some(events),
            exit,
            kill: guard.disarm(),
            qmp: Arc::new(qmp),
            console,
            pid,
            ram,
            template: None,
            keeper: Some(keeper),
            register,
            work_dir: config.work_dir.clone(),
            earlier_marks: config.marks.then(Marks::default),
        };
        Ok((machine, ready))
    }
}

/// Waits for QEMU's connections. If QEMU ends first, that is the error.
async fn unless_ended<T>(
    connecting: impl Future<Output = Result<T>>,
    exit: &mut watch::Receiver<Option<ExitReason>>,
) -> Result<T> {
    let mut early = exit.clone();
    let connected = tokio::select! {
        connected = tokio::time::timeout(CONNECTING, connecting) => connected.unwrap_or_else(|_| {
            let seconds = CONNECTING.as_secs();
            Err(LabError::start(format!("it did not connect within {seconds} s")))
        }),
        reason = ended(&mut early) => return Err(not_started(&reason)),
    };
    match connected {
        Ok(connected) => Ok(connected),
        Err(error) => {
            let last = ends_now(exit).await;
            Err(last.map_or(error, |reason| not_started(&reason)))
        }
    }
}

/// The lab's ends of QEMU's connections, except for the monitor.
enum Ends {
    /// Real time: the socket of the virtio-serial port, and the lines for it.
    Port(UnixListener, Lines),
    /// Exact time: the register and the userland's disk, which are being served already.
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
            .map_err(|e| LabError::start(format!("its register: {e}")))?;
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
                let (stream, _) = accepted.map_err(|e| LabError::start(e.to_string()))?;
                tokio::spawn(lines.carry(stream));
                Ok((Keeper::real(), None))
            }
            Ends::Exact(keeper, register) => Ok((keeper, Some(register))),
        }
    }
}

/// Serves a connection from QEMU until it ends. The error is only logged, since QEMU's exit explains it.
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

/// Listens on a socket that QEMU will connect to. Replaces an existing one.
pub(super) fn listen(path: &Path) -> Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(LabError::file("cannot create", path))
}
