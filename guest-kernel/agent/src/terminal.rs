//! Terminals: interactive programs of the userland.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitCode};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, mount, mount_bind};
use rustix::process::{Pid, Signal, WaitStatus, ioctl_tiocsctty, kill_process_group, setsid};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use sansim_protocol::{Bytes, Happening, TerminalSize, USERLAND};

use crate::children::Children;
use crate::fail::{Doing, Failure, Result};
use crate::outbox::Outbox;
use crate::thread;
use crate::userland;

/// `argv[0]` for the agent as session leader: it makes standard input its controlling terminal and executes
/// a program of the userland.
pub(crate) const ENTER: &str = "sansim-enter-session";

/// Most terminals that may be open at once.
const MOST: usize = 16;
/// Most bytes of output in one event.
const PIECE: usize = 4096;
/// How long a program may leave input unread before input is refused, in seconds.
const PATIENCE: i64 = 10;

#[derive(Clone)]
pub(crate) struct Terminals {
    open: Arc<Mutex<Open>>,
    children: Children,
    outbox: Outbox,
}

#[derive(Default)]
struct Open {
    last: u32,
    terminals: BTreeMap<u32, Terminal>,
}

#[derive(Clone)]
struct Terminal {
    /// The pseudo-terminal's master end.
    end: Arc<File>,
    leader: Pid,
}

impl Terminals {
    pub(crate) fn new(children: Children, outbox: Outbox) -> Terminals {
        Terminals { open: Arc::default(), children, outbox }
    }

    /// Starts a program in a new terminal. The userland must be mounted.
    pub(crate) fn open(&self, argv: &[String], term: &str, size: TerminalSize) -> Result<u32> {
        let Some(program) = argv.first() else {
            return Err(Failure::new("no program was given"));
        };
        if self.lock().terminals.len() >= MOST {
            return Err(Failure::new(format!("{MOST} terminals are open, and no more can be")));
        }
        let (end, far) = pair().doing(|| "open a terminal".to_owned())?;
        let end = Arc::new(File::from(end));
        resize(&end, size)?;
        let mut command = userland::command(ENTER, argv);
        command.env("TERM", term).env("HOME", "/root").env("PS1", "guest:\\w# ");
        let spawned = give(&mut command, far).and_then(|()| self.children.spawn(&mut command));
        let (_, leader, ended) = spawned.doing(|| format!("run {program}"))?;
        // Closes the agent's copy of the slave end.
        drop(command);
        let mut open = self.lock();
        open.last += 1;
        let number = open.last;
        open.terminals.insert(number, Terminal { end: Arc::clone(&end), leader });
        drop(open);
        self.follow(number, end, ended)?;
        Ok(number)
    }

    /// Writes input to a terminal.
    pub(crate) fn type_on(&self, number: u32, bytes: &[u8]) -> Result<()> {
        let Terminal { end, .. } = self.get(number)?;
        let patience = Timespec { tv_sec: PATIENCE, tv_nsec: 0 };
        // Once a terminal is writable, it surely takes this many bytes.
        for piece in bytes.chunks(256) {
            let ready = poll(&mut [PollFd::new(&*end, PollFlags::OUT)], Some(&patience));
            if ready.doing(|| "type".to_owned())? == 0 {
                return Err(Failure::new("the program does not read what is typed"));
            }
            (&*end).write_all(piece).doing(|| "type".to_owned())?;
        }
        Ok(())
    }

    pub(crate) fn resize(&self, number: u32, size: TerminalSize) -> Result<()> {
        resize(&self.get(number)?.end, size)
    }

    /// Hangs up: sends SIGHUP to the leader's process group.
    pub(crate) fn close(&self, number: u32) {
        if let Ok(terminal) = self.get(number) {
            // ESRCH only means that the program has just ended.
            let _ = kill_process_group(terminal.leader, Signal::HUP);
        }
    }

    /// Starts a thread that reports the output of a terminal and its end.
    fn follow(&self, number: u32, end: Arc<File>, ended: Receiver<WaitStatus>) -> Result<()> {
        let terminals = self.clone();
        let follow = move || {
            show(number, &end, &terminals.outbox);
            let code = ended.recv().ok().and_then(|status| status.exit_status());
            terminals.lock().terminals.remove(&number);
            terminals.outbox.event(Happening::TerminalClosed { terminal: number, code });
        };
        thread::start("terminal", follow).map(drop)
    }

    fn get(&self, number: u32) -> Result<Terminal> {
        let terminal = self.lock().terminals.get(&number).cloned();
        terminal.ok_or_else(|| Failure::new(format!("there is no terminal {number}")))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads output until EIO, which means that no process has the slave end open any more.
fn show(number: u32, mut end: &File, outbox: &Outbox) {
    let mut buffer = [0; PIECE];
    while let Ok(len @ 1..) = end.read(&mut buffer) {
        outbox.wait_for_quiet();
        let bytes = Bytes(buffer[..len].to_vec());
        outbox.event(Happening::Shown { terminal: number, bytes });
    }
}

/// Opens a new pseudo-terminal: master and slave.
fn pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    static MOUNTED: Once = Once::new();
    MOUNTED.call_once(mount_terminals);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let end = openpt(flags)?;
    unlockpt(&end)?;
    let far = ioctl_tiocgptpeer(&end, flags)?;
    Ok((end, far))
}

/// Makes devpts visible in the userland, where programs look up their terminal by name. Errors are noticed
/// when a terminal is opened.
fn mount_terminals() {
    let there = format!("{USERLAND}/dev/pts");
    let _ = std::fs::create_dir_all("/dev/pts");
    let _ = mount("devpts", "/dev/pts", "devpts", MountFlags::empty(), Some(c"ptmxmode=666"));
    // A bind mount, since a separate devpts mount has its own set of terminals.
    let _ = mount_bind("/dev/pts", there);
}

/// Makes the slave end a command's standard input, output and error.
fn give(command: &mut Command, far: OwnedFd) -> std::io::Result<()> {
    command.stdin(far.try_clone()?).stdout(far.try_clone()?).stderr(far);
    Ok(())
}

fn resize(end: &File, size: TerminalSize) -> Result<()> {
    let TerminalSize { rows, columns } = size;
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(end, size).doing(|| "give a terminal its size".to_owned())
}

/// Runs the agent as session leader: makes standard input the controlling terminal and executes the
/// program.
pub(crate) fn enter(argv: impl Iterator<Item = String>) -> ExitCode {
    let led = setsid().and_then(|_| ioctl_tiocsctty(std::io::stdin()));
    if let Err(errno) = led {
        eprintln!("cannot lead a session: {errno}");
        return ExitCode::from(126);
    }
    userland::enter(argv)
}
