//! The process of QEMU: its start, and its end.

use std::{
    ffi::OsString,
    io,
    path::Path,
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
    sync::oneshot,
};

use crate::{LabError, Result, tool};

/// Of what QEMU writes to standard error, the end is kept: this many bytes.
const KEPT_STDERR: usize = 8 << 10;

/// Starts QEMU so that it dies with this program.
///
/// The kernel sends the signal when the *thread* that forked ends (prctl(2), PR_SET_PDEATHSIG), so
/// a thread that lives as long as the program does all the forking. Should the program die before
/// setpriv has set the signal, QEMU finds nobody at the sockets it connects to, and gives up.
pub(crate) async fn spawn(arguments: Vec<OsString>, work_dir: &Path) -> Result<Child> {
    let qemu = tool::find(tool::QEMU)?;
    let setpriv = tool::find("setpriv")?;
    let mut command = Command::new(&setpriv);
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(qemu)
        .args(arguments)
        .current_dir(work_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let (answer, spawned) = oneshot::channel();
    let job = Job { command, runtime: Handle::current(), answer };
    let sent = spawner().lock().map(|jobs| jobs.send(job).is_ok());
    let gone = || LabError::Start { why: "the thread that starts it has ended".into() };
    if !sent.unwrap_or(false) {
        return Err(gone());
    }
    let child = spawned.await.map_err(|_| gone())?;
    child.map_err(LabError::file("cannot run", setpriv))
}

struct Job {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// The way to the thread that forks.
fn spawner() -> &'static Mutex<Sender<Job>> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (jobs, queue): (_, Receiver<Job>) = channel();
        // Detached on purpose: `jobs` lives in a static, so the thread ends with the program only.
        // Should the thread not start, its queue is gone, and sending says so.
        let _ = std::thread::Builder::new().name("sansim-spawn".into()).spawn(move || {
            for mut job in queue {
                let _runtime = job.runtime.enter();
                // A caller that does not wait any more drops the child, which kills it.
                let _ = job.answer.send(job.command.spawn());
            }
        });
        Mutex::new(jobs)
    })
}

/// The end of what a program wrote, growing while it runs.
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

    /// What was kept, without the prefix that QEMU puts before every line.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().map(|kept| kept.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&kept);
        let lines = text.lines().map(|line| {
            line.strip_prefix(tool::QEMU).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
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
}
