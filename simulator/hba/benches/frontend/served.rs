//! Devices in processes of their own: sansim's HBA, served by this executable called anew, and
//! vhost-device-scsi, the reference.

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

/// The first argument of a process that serves: `serve SOCKET plain|ruled`.
const SERVE: &str = "serve";
/// Where vhost-device-scsi is, if it could be had.
const REFERENCE: &str = "VHOST_DEVICE_SCSI";
/// The longest that a process takes to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which fault rules the array has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// None.
    Plain,
    /// Twenty that are looked at and never match.
    Idle,
}

/// A process that serves a device. It ends when this is dropped.
pub(crate) struct Served {
    process: Child,
    pub(crate) socket: PathBuf,
}

impl Served {
    /// sansim's HBA.
    pub(crate) fn sansim(dir: &Path, rules: Rules) -> io::Result<Served> {
        let name = if rules == Rules::Plain { "plain" } else { "ruled" };
        let socket = dir.join(name);
        let mut command = Command::new(env::current_exe()?);
        command.arg(SERVE).arg(&socket).arg(name);
        Served::start(command, socket)
    }

    /// vhost-device-scsi over an image file, if it is there.
    pub(crate) fn reference(dir: &Path) -> io::Result<Option<Served>> {
        let Some(program) = env::var_os(REFERENCE) else { return Ok(None) };
        let (socket, image) = (dir.join("reference"), dir.join("image"));
        File::create(&image)?.set_len(LUN_BYTES)?;
        let mut command = Command::new(program);
        command.arg("--socket-path").arg(&socket).arg(image);
        // It warns that writing is new to it.
        command.stderr(Stdio::null());
        Served::start(command, socket).map(Some)
    }

    /// How long its threads have run on a processor, whatever else the machine did.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let times = fs::read_to_string(thread?.path().join("schedstat"))?;
            let running = times.split(' ').next().and_then(|running| running.parse::<u64>().ok());
            nanos += running.ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Starts a process and waits until it listens. Connecting would not do to find out: the
    /// reference serves one front end and ends with it.
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
        // It has been bound, and will be listened to in a moment.
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

/// Serves, if that is what this process was started for, until its standard input ends: with the
/// process that started it. Returns whether it was.
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

/// Serves an HBA from this process.
pub(crate) fn serve(socket: &Path, rules: Rules) -> HbaServer {
    let faults = if rules == Rules::Plain { vec![] } else { idle_rules() };
    let array = san::array(LUN_BYTES, faults);
    let config = HbaConfig { id: san::HBA, targets: vec![san::port_a()], request_queues: 1 };
    HbaServer::start(config, array, RealClock::start(), socket).expect("it is free")
}

/// Rules that are looked at and never match: most for each of four reasons, the others since they are
/// about another operation.
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
