//! The QEMU process: start and end.

use std::{
    ffi::OsString,
    fs::File,
    io,
    process::Stdio,
    sync::{
        Arc, Mutex, OnceLock,
        mpsc::{Receiver, Sender, channel},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    runtime::Handle,
    sync::{Notify, oneshot, watch},
};

use super::{MachineConfig, confine::Confinement, exit::ExitReason, qmp::ShutdownWatch};
use crate::{LabError, Result, StartFailure, agent::LAST_WORDS, host::programs};

/// How many bytes of QEMU's standard error are kept, from its end.
const KEPT_STDERR: usize = 8 << 10;

/// Starts QEMU so that it dies with this program.
///
/// The kernel sends the signal when the *thread* that forked exits (prctl(2), PR_SET_PDEATHSIG). So a
/// thread that lives as long as the program does all the forking. If the program dies before setpriv(1) has
/// set the signal, QEMU finds no listener on its sockets and exits.
pub(super) async fn spawn(
    arguments: Vec<OsString>,
    config: &MachineConfig,
    ram: &File,
) -> Result<Child> {
    let qemu = programs::find(programs::QEMU)?;
    let confinement = Confinement::of_this_host()?;
    let before = confinement.before_qemu(config);
    let console = &config.console;
    let console = File::create(console).map_err(LabError::file("cannot create", console))?;
    let memory = ram.try_clone().map_err(LabError::file("cannot open", "the guest's memory"))?;
    let mut command = Command::new(&before[0]);
    command
        .args(&before[1..])
        .arg(qemu)
        .args(confinement.arguments())
        .args(arguments)
        .current_dir(&config.work_dir)
        // A signal to the terminal's or the caller's group is for this program, which then stops QEMU.
        .process_group(0)
        .stdin(memory)
        .stdout(console)
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let (answer, spawned) = oneshot::channel();
    let job = Job { command, runtime: Handle::current(), answer };
    let sent = spawner().lock().map(|jobs| jobs.send(job).is_ok());
    let gone = || LabError::start("the thread that starts it has ended");
    if !sent.unwrap_or(false) {
        return Err(gone());
    }
    let child = spawned.await.map_err(|_| gone())?;
    child.map_err(LabError::file("cannot run", programs::QEMU))
}

struct Job {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// The channel to the thread that forks.
fn spawner() -> &'static Mutex<Sender<Job>> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (jobs, queue): (_, Receiver<Job>) = channel();
        // Detached on purpose: `jobs` is in a static, so the thread ends only with the program. If the
        // thread does not start, its queue is dropped, and sending fails.
        let _ = std::thread::Builder::new().name("sansim-spawn".into()).spawn(move || {
            for mut job in queue {
                let _runtime = job.runtime.enter();
                // If the caller has stopped waiting, the child is dropped, which kills it.
                let _ = job.answer.send(job.command.spawn());
            }
        });
        Mutex::new(jobs)
    })
}

/// The end of a program's standard error, updated while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stderr(Arc<Mutex<Vec<u8>>>);

impl Stderr {
    /// Reads until the end of the stream.
    pub(crate) async fn follow(self, mut pipe: impl AsyncRead + Unpin) {
        let mut buffer = [0; 2048];
        while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
            let Ok(mut kept) = self.0.lock() else { return };
            kept.extend_from_slice(&buffer[..n]);
            let excess = kept.len().saturating_sub(KEPT_STDERR);
            kept.drain(..excess);
        }
    }

    /// The collected text, without QEMU's prefix on every line.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().map(|kept| kept.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&kept);
        let lines = text.lines().map(|line| {
            line.strip_prefix(programs::QEMU)
                .and_then(|rest| rest.strip_prefix(": "))
                .unwrap_or(line)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Watches QEMU until it exits, and then sends the reason to `exit`. Returns a guard that kills QEMU, and a
/// sender for the monitor's [`ShutdownWatch`].
pub(super) fn supervise(
    mut qemu: Child,
    exit: watch::Sender<Option<ExitReason>>,
) -> (KillOnDrop, oneshot::Sender<ShutdownWatch>) {
    let stderr = Stderr::default();
    let reading = qemu.stderr.take().map(|pipe| tokio::spawn(stderr.clone().follow(pipe)));
    let kill = Arc::new(Notify::new());
    let (monitored, watch) = oneshot::channel();
    let supervisor = Supervisor { qemu, kill: Arc::clone(&kill), stderr, reading, watch };
    tokio::spawn(supervisor.run(exit));
    (KillOnDrop(Some(kill)), monitored)
}

/// Kills QEMU when it is dropped.
pub(super) struct KillOnDrop(Option<Arc<Notify>>);

impl KillOnDrop {
    /// Disarms the guard: QEMU keeps running. Notifying the returned `Notify` kills QEMU.
    pub(super) fn disarm(mut self) -> Arc<Notify> {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(kill) = &self.0 {
            kill.notify_one();
        }
    }
}

struct Supervisor {
    qemu: Child,
    kill: Arc<Notify>,
    stderr: Stderr,
    reading: Option<tokio::task::JoinHandle<()>>,
    watch: oneshot::Receiver<ShutdownWatch>,
}

impl Supervisor {
    async fn run(mut self, exit: watch::Sender<Option<ExitReason>>) {
        let (status, stopped) = tokio::select! {
            status = self.qemu.wait() => (status, false),
            () = self.kill.notified() => {
                let _ = self.qemu.start_kill();
                (self.qemu.wait().await, true)
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

/// Waits until QEMU has exited. Returns how it ended.
pub(super) async fn ended(exit: &mut watch::Receiver<Option<ExitReason>>) -> ExitReason {
    match exit.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone().unwrap_or(ExitReason::Stopped),
        // The supervisor was dropped with its runtime, and QEMU with it.
        Err(_) => ExitReason::Stopped,
    }
}

/// How QEMU ended, if it exits within a short time. A connection to QEMU closes slightly before the process
/// exits, and says less about the cause.
pub(super) async fn ends_now(exit: &mut watch::Receiver<Option<ExitReason>>) -> Option<ExitReason> {
    tokio::time::timeout(LAST_WORDS, ended(exit)).await.ok()
}

/// The error for a QEMU that exited before it was connected.
pub(super) fn not_started(reason: &ExitReason) -> LabError {
    let cause = match reason {
        ExitReason::Failed { stderr, .. } => StartFailure::of(stderr),
        // The kernel kills who takes too much memory.
        ExitReason::Signal(_) => StartFailure::Host,
        _ => StartFailure::Other,
    };
    LabError::Start { cause, why: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_standard_error_is_kept() {
        let stderr = Stderr::default();
        let long =
            [b"x".repeat(20_000), b"\nqemu-system-x86_64: -m 1: too little\n".to_vec()].concat();
        stderr.clone().follow(&long[..]).await;
        let text = stderr.text();
        assert!(text.len() <= KEPT_STDERR);
        assert!(text.ends_with("x\n-m 1: too little"), "{}", &text[text.len() - 40..]);
    }

    #[test]
    fn a_backend_that_is_not_there_is_told_apart() {
        let failed = |stderr: &str| {
            let reason = ExitReason::Failed { code: 1, stderr: stderr.to_owned() };
            match not_started(&reason) {
                LabError::Start { cause, why } => (cause, why),
                other => panic!("{other}"),
            }
        };
        let socket = "-chardev socket,id=hba0,path=/x: Failed to connect to '/x': No such file";
        let (cause, why) = failed(socket);
        assert_eq!(cause, StartFailure::NoBackend);
        assert_eq!(why, format!("QEMU ended with exit code 1: {socket}"));
        assert_eq!(failed("-m 1: too little").0, StartFailure::Other);
        assert!(matches!(
            not_started(&ExitReason::Signal(9)),
            LabError::Start { cause: StartFailure::Host, .. }
        ));
        let state = "load of migration failed: Input/output error";
        assert_eq!(failed(state).0, StartFailure::State);
        assert_eq!(failed("ram: Cannot allocate memory").0, StartFailure::Host);
    }
}
