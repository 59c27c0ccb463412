//! Child processes. PID 1 inherits every orphan of the guest, so one place waits for all.

use std::collections::HashMap;
use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use crate::fail::Result;
use crate::thread;

/// Spawns children and reaps them, and orphans.
#[derive(Clone, Default)]
pub(crate) struct Children(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Who wants to know how a child ended.
    waiting: Mutex<HashMap<Pid, Sender<WaitStatus>>>,
    spawned: Condvar,
}

impl Children {
    /// Starts the thread that reaps.
    pub(crate) fn start() -> Result<Children> {
        let children = Children::default();
        let reaper = children.clone();
        thread::start("reaper", move || -> () { reaper.reap() })?;
        Ok(children)
    }

    /// Spawns a command. Its end is told through the receiver; the child must not be waited for.
    pub(crate) fn spawn(
        &self,
        command: &mut Command,
    ) -> io::Result<(Child, Pid, Receiver<WaitStatus>)> {
        let (sender, ended) = channel();
        // The reaper needs this lock to tell of an end, so that no end can come before its entry.
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
                        // Whoever ran it may have given up on it.
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
