//! Devices in separate processes: sansim's HBA, for which this executable starts itself again, and
//! the reference, vhost-device-scsi.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sansim_array::{CommandFilter, FaultRule, HbaId, Lun, Then};
use sansim_hba::{HbaConfig, HbaServer};
use sansim_time::RealClock;

use crate::{LUN_BYTES, guest::san};

/// The first argument of a server process: `serve SOCKET plain|ruled`.
const SERVE: &str = "serve";
/// The environment variable with the path of vhost-device-scsi.
const REFERENCE: &str = "VHOST_DEVICE_SCSI";
/// The maximum time until a server process listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// The fault rules of the array.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// The array has no fault rules.
    Plain,
    /// 20 fault rules that are evaluated but never match.
    Idle,
}

/// A server process for one device. Dropping it kills the process.
pub(crate) struct Served {
    process: Child,
    pub(crate) socket: PathBuf,
}

impl Served {
    /// Starts a process that serves sansim's HBA.
    pub(crate) fn sansim(dir: &Path, rules: Rules) -> io::Result<Served> {
        let name = if rules == Rules::Plain { "plain" } else { "ruled" };
        let socket = dir.join(name);
        let mut command = Command::new(env::current_exe()?);
        command.arg(SERVE).arg(&socket).arg(name);
        Served::start(command, socket)
    }

    /// Starts vhost-device-scsi with an image file; `None` if the environment variable is not set.
    pub(crate) fn reference(dir: &Path) -> io::Result<Option<Served>> {
        let Some(program) = env::var_os(REFERENCE) else { return Ok(None) };
        let (socket, image) = (dir.join("reference"), dir.join("image"));
        File::create(&image)?.set_len(LUN_BYTES)?;
        let mut command = Command::new(program);
        command.arg("--socket-path").arg(&socket).arg(image);
        // It warns that write support is new.
        command.stderr(Stdio::null());
        Served::start(command, socket).map(Some)
    }

    /// The CPU time of all threads of the process.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            let running = times.split(' ').next().and_then(|running| running.parse::<u64>().ok());
            nanos += running.ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Starts a process and waits until its socket exists. It cannot connect to find out, because
    /// the reference serves only one front end and then exits.
    fn start(mut command: Command, socket: PathBuf) -> io::Result<Served> {
        let process = command.stdin(Stdio::piped()).spawn()?;
        let mut served = Served { process, socket };
        let end = Instant::now() + PATIENCE;
        while !served.socket.exists() {
            if Instant::now() > end || served.process.try_wait()?.is_some() {
                return Err(io::Error::other(format!("{command:?} does not listen")));
            }
            thread::sleep(Duration::from_millis(1));
        }
        // The socket is bound, but the process may not have called `listen` yet.
        thread::sleep(Duration::from_millis(50));
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// If this process was started as a server, serves until its standard input is closed, which
/// happens when its parent process exits. Returns whether it was a server.
pub(crate) fn serve_if_asked() -> bool {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [first, socket, rules] = arguments.as_slice() else { return false };
    if first != SERVE {
        return false;
    }
    let rules = if rules == OsStr::new("plain") { Rules::Plain } else { Rules::Idle };
    let _server = serve(Path::new(socket), rules);
    let _ = io::stdin().read_to_end(&mut Vec::new());
    true
}

/// Serves an HBA in this process.
pub(crate) fn serve(socket: &Path, rules: Rules) -> HbaServer {
    let faults = if rules == Rules::Plain { vec![] } else { idle_rules() };
    let array = san::array(LUN_BYTES, faults);
    let config = HbaConfig { id: san::HBA, targets: vec![san::port_a()], request_queues: 1 };
    HbaServer::start(config, array, RealClock::start(), socket).expect("it is free")
}

/// Fault rules that never match. For some it is because of the operation; for the others it is one
/// of four conditions.
fn idle_rules() -> Vec<FaultRule> {
    let answer = Then::delayed(Duration::from_secs(1));
    (0..20u16)
        .map(|n| {
            let op = if n / 4 % 2 == 0 { "READ" } else { "MODE SELECT" };
            let mut rule = san::rule(&format!("rule {n}"), op, answer.clone());
            match n % 4 {
                0 => rule.when.lun = Some(Lun(100 + n)),
                1 => rule.when.port = Some(san::port_b()),
                2 => {
                    let (op, blocks) = (op.parse().ok(), Some(u64::MAX - 1..=u64::MAX));
                    let which = CommandFilter { op, blocks, page: None };
                    rule = FaultRule::on_commands(rule.name.clone(), which, answer.clone());
                }
                _ => rule.when.hba = Some(HbaId(9)),
            }
            rule
        })
        .collect()
}
