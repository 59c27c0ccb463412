//! Child processes. PID 1 inherits every orphan, so a single thread waits for all of them.

use std::collections::HashMap;
use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};
use sansim_protocol::{Ended, Signal};

use crate::fail::Result;
use crate::thread;

#[derive(Clone, Default)]
pub(crate) struct Children(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The channel that receives each child's wait status.
    waiting: Mutex<HashMap<Pid, Sender<WaitStatus>>>,
    spawned: Condvar,
}

impl Children {
    /// Starts the reaper thread.
    pub(crate) fn start() -> Result<Children> {
        let children = Children::default();
        let reaper = children.clone();
        thread::start("reaper", move || -> () { reaper.reap() })?;
        Ok(children)
    }

    /// Spawns a command. The receiver gets the wait status; the caller must not wait for the child itself.
    pub(crate) fn spawn(
        &self,
        command: &mut Command,
    ) -> io::Result<(Child, Pid, Receiver<WaitStatus>)> {
        let (sender, ended) = channel();
        // The reaper needs this lock to report a wait status, so a child cannot be reaped before it is
        // entered here.
        let mut waiting = self.lock();
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        waiting.insert(pid, sender);
        drop(waiting);
        self.0.spawned.notify_one();
        Ok((child, pid, ended))
    }

    fn reap(&self) -> ! {
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) => {
                    if let Some(sender) = self.lock().remove(&pid) {
                        // The caller may have timed out and dropped its receiver.
                        let _ = sender.send(status);
                    }
                }
                Err(Errno::CHILD) => {
                    let waiting = self.lock();
                    let none = |waiting: &mut HashMap<_, _>| waiting.is_empty();
                    drop(self.0.spawned.wait_while(waiting, none));
                }
                Ok(None) | Err(_) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pid, Sender<WaitStatus>>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a child ended, by its wait status.
pub(crate) fn how(status: WaitStatus) -> Ended {
    match status.exit_status() {
        Some(code) => Ended::Code(code),
        None => Ended::Signal(Signal(status.terminating_signal().unwrap_or(0))),
    }
}
