//! Terminals: programs of the userland that somebody talks to.

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

/// `argv[0]` of the agent when it is to become a program of the userland that leads a session, with
/// standard input as its terminal.
pub(crate) const ENTER: &str = "sansim-enter-session";

/// Terminals that may be open at once.
const MOST: usize = 16;
/// Bytes that are passed on at once.
const PIECE: usize = 4096;
/// How long a program may leave what was typed unread before no more is taken, in seconds.
const PATIENCE: i64 = 10;

/// All that are open.
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
    /// The end that the agent reads and writes for the lab.
    end: Arc<File>,
    /// The leader of its session.
    leader: Pid,
}

impl Terminals {
    pub(crate) fn new(children: Children, outbox: Outbox) -> Terminals {
        Terminals { open: Arc::default(), children, outbox }
    }

    /// Starts a program in a new one. The userland must be there.
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
        // Else the far end would stay open here.
        drop(command);
        let mut open = self.lock();
        open.last += 1;
        let number = open.last;
        open.terminals.insert(number, Terminal { end: Arc::clone(&end), leader });
        drop(open);
        self.follow(number, end, ended)?;
        Ok(number)
    }

    /// Has a program read this.
    pub(crate) fn type_on(&self, number: u32, bytes: &[u8]) -> Result<()> {
        let Terminal { end, .. } = self.get(number)?;
        let patience = Timespec { tv_sec: PATIENCE, tv_nsec: 0 };
        // As much as a terminal takes at once for sure, once it takes anything.
        for piece in bytes.chunks(256) {
            let ready = poll(&mut [PollFd::new(&*end, PollFlags::OUT)], Some(&patience));
            if ready.doing(|| "type".to_owned())? == 0 {
                return Err(Failure::new("the program does not read what is typed"));
            }
            (&*end).write_all(piece).doing(|| "type".to_owned())?;
        }
        Ok(())
    }

    /// Gives it another size.
    pub(crate) fn resize(&self, number: u32, size: TerminalSize) -> Result<()> {
        resize(&self.get(number)?.end, size)
    }

    /// Hangs up: the leader's process group is sent SIGHUP.
    pub(crate) fn close(&self, number: u32) {
        if let Ok(terminal) = self.get(number) {
            // One that has ended a moment ago is no error.
            let _ = kill_process_group(terminal.leader, Signal::HUP);
        }
    }

    /// Passes on what it shows, and its end.
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

/// Reads it until nobody has its far end open any more, which is EIO.
fn show(number: u32, mut end: &File, outbox: &Outbox) {
    let mut buffer = [0; PIECE];
    while let Ok(len @ 1..) = end.read(&mut buffer) {
        outbox.wait_for_quiet();
        let bytes = Bytes(buffer[..len].to_vec());
        outbox.event(Happening::Shown { terminal: number, bytes });
    }
}

/// Both ends of a new terminal.
fn pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    static MOUNTED: Once = Once::new();
    MOUNTED.call_once(mount_terminals);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let end = openpt(flags)?;
    unlockpt(&end)?;
    let far = ioctl_tiocgptpeer(&end, flags)?;
    Ok((end, far))
}

/// Programs find their terminal by its name. What is wrong shows when one is opened.
fn mount_terminals() {
    let there = format!("{USERLAND}/dev/pts");
    let _ = std::fs::create_dir_all("/dev/pts");
    let _ = mount("devpts", "/dev/pts", "devpts", MountFlags::empty(), Some(c"ptmxmode=666"));
    // A mount of its own would have other terminals.
    let _ = mount_bind("/dev/pts", there);
}

/// Has a command use the far end.
fn give(command: &mut Command, far: OwnedFd) -> std::io::Result<()> {
    command.stdin(far.try_clone()?).stdout(far.try_clone()?).stderr(far);
    Ok(())
}

fn resize(end: &File, size: TerminalSize) -> Result<()> {
    let TerminalSize { rows, columns } = size;
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(end, size).doing(|| "give a terminal its size".to_owned())
}

/// The agent's other life: leads a session on the terminal that is standard input, and becomes the
/// program.
pub(crate) fn enter(argv: impl Iterator<Item = String>) -> ExitCode {
    let led = setsid().and_then(|_| ioctl_tiocsctty(std::io::stdin()));
    if let Err(errno) = led {
        eprintln!("cannot lead a session: {errno}");
        return ExitCode::from(126);
    }
    userland::enter(argv)
}
