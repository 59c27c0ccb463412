//! What the host lets this process and its machines have: file descriptors, processes and threads, address
//! space. A run that lacks one of them fails in the middle, and seldom says why; so they are counted before.

use std::{fs, os::unix::fs::MetadataExt};

use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};

use super::cgroup;
use crate::{LabError, Result};

/// What this process needs whatever it does, and each run beyond its HBAs. They are generous: a few more
/// descriptors cost nothing.
const PROCESS: Needs = Needs { descriptors: 40, tasks: 8, address_space: 1 << 30 };
/// For a run: pipes, sockets, guest memory, console and events; threads for blocking work and those of QEMU;
/// the stacks and heaps of its threads.
const RUN: Needs = Needs { descriptors: 24, tasks: 16, address_space: 1 << 30 };
/// For an HBA, and for each of its request queues: sockets and events; its threads.
const HBA: Needs = Needs { descriptors: 20, tasks: 2, address_space: 0 };
const QUEUE: Needs = Needs { descriptors: 12, tasks: 1, address_space: 0 };
/// The address space of QEMU beyond its guest: code, stacks and the buffer for translated code.
const QEMU: u64 = 3 << 29;

/// What runs need of the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    descriptors: u64,
    tasks: u64,
    address_space: u64,
}

impl Needs {
    /// The needs of one run. `guest` is its guest's memory in bytes, `luns` the sum of the sizes of its LUNs;
    /// `queues` are the numbers of request queues of its HBAs.
    pub fn of_run(guest: u64, luns: u64, queues: impl IntoIterator<Item = u16>) -> Needs {
        let hbas = queues.into_iter().fold(RUN, |needs, queues| {
            // Every HBA maps the guest's memory.
            let mapped = Needs { address_space: guest, ..HBA };
            needs.plus(mapped, 1).plus(QUEUE, queues.into())
        });
        hbas.plus(Needs { address_space: luns.saturating_add(3 * guest), ..Needs::default() }, 1)
    }

    /// At least as much as either.
    #[must_use]
    pub fn max(self, other: Needs) -> Needs {
        Needs {
            descriptors: self.descriptors.max(other.descriptors),
            tasks: self.tasks.max(other.tasks),
            address_space: self.address_space.max(other.address_space),
        }
    }

    fn plus(self, other: Needs, times: u64) -> Needs {
        let add = |a: u64, b: u64| a.saturating_add(b.saturating_mul(times));
        Needs {
            descriptors: add(self.descriptors, other.descriptors),
            tasks: add(self.tasks, other.tasks),
            address_space: add(self.address_space, other.address_space),
        }
    }
}

/// Raises the soft limit of file descriptors to the hard one. Programs that use select(2) do not like that;
/// neither this one nor QEMU does.
pub fn raise_limits() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!("the limit of file descriptors stays as it is: {error}");
        }
    }
}

/// How many runs with these needs can go on at the same time, of `wanted`. If it is fewer, also why.
///
/// # Errors
/// `HostShort` when it is none.
pub fn most_runs(needs: Needs, wanted: usize) -> Result<(usize, Option<String>)> {
    Limits::read().most_runs(needs, wanted)
}

/// A limit of the host.
#[derive(Debug, Clone)]
struct Limit {
    /// What is limited, and how the user sets it.
    what: &'static str,
    how: &'static str,
    left: u64,
}

#[derive(Debug, Clone, Default)]
struct Limits {
    descriptors: Option<Limit>,
    tasks: Option<Limit>,
    address_space: Option<Limit>,
}

impl Limits {
    fn read() -> Limits {
        let limit =
            |resource, what, how| getrlimit(resource).current.map(|left| Limit { what, how, left });
        let of_group = cgroup::left(&cgroup::PIDS).map(|pids| Limit {
            what: "processes and threads",
            how: "pids.max of the control group",
            left: pids.left,
        });
        let tasks = of_group.into_iter().chain(of_user()).min_by_key(|limit| limit.left);
        Limits {
            descriptors: limit(Resource::Nofile, "file descriptors", "ulimit -Hn"),
            tasks,
            address_space: limit(Resource::As, "bytes of address space", "ulimit -v"),
        }
    }

    fn most_runs(&self, needs: Needs, wanted: usize) -> Result<(usize, Option<String>)> {
        let each = [
            (&self.descriptors, PROCESS.descriptors, needs.descriptors),
            (&self.tasks, PROCESS.tasks, needs.tasks),
            (&self.address_space, PROCESS.address_space, needs.address_space),
        ];
        let mut most = (wanted, None);
        for (limit, process, run) in each {
            let Some(Limit { what, how, left }) = limit else { continue };
            let runs = left.saturating_sub(process) / run.max(1);
            if runs == 0 {
                let (what, how, needed, left) = (*what, *how, process + run, *left);
                return Err(LabError::HostShort { what, how, needed, left });
            }
            if (runs as usize) < most.0 {
                most = (runs as usize, Some(format!("there are {left} {what} ({how})")));
            }
        }
        if let Some(Limit { what, how, left }) = self.address_space
            && left < QEMU
        {
            return Err(LabError::HostShort { what, how, needed: QEMU, left });
        }
        Ok(most)
    }
}

/// What RLIMIT_NPROC leaves the user; `None` without a limit, or for root, whom it does not concern (setrlimit(2)).
fn of_user() -> Option<Limit> {
    let uid = getuid();
    let limit = getrlimit(Resource::Nproc).current.filter(|_| !uid.is_root())?;
    let left = limit.saturating_sub(tasks_of(uid.as_raw()));
    Some(Limit { what: "processes and threads", how: "ulimit -u", left })
}

/// The processes and threads of a user that can be seen.
fn tasks_of(uid: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes.filter(|it| it.metadata().is_ok_and(|meta| meta.uid() == uid));
    // A process has a directory for each thread.
    own.filter_map(|it| Some(fs::read_dir(it.path().join("task")).ok()?.count() as u64)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptors(left: u64) -> Limits {
        let limit = Limit { what: "file descriptors", how: "ulimit -Hn", left };
        Limits { descriptors: Some(limit), ..Limits::default() }
    }

    #[test]
    fn as_many_runs_as_fit_and_the_reason_if_it_is_fewer() {
        let needs = Needs::of_run(256 << 20, 64 << 20, [1, 1]);
        assert!(needs.descriptors > 60, "{needs:?}");
        let one = PROCESS.descriptors + needs.descriptors;
        assert_eq!(Limits::default().most_runs(needs, 16).unwrap(), (16, None));
        assert_eq!(descriptors(1 << 20).most_runs(needs, 16).unwrap(), (16, None));
        let (most, why) = descriptors(one + needs.descriptors).most_runs(needs, 16).unwrap();
        assert_eq!((most, why.unwrap().contains("ulimit -Hn")), (2, true));
        let error = descriptors(one - 1).most_runs(needs, 1).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "a run needs {one} file descriptors, and there are {}: raise ulimit -Hn",
                one - 1
            )
        );
    }

    #[test]
    fn all_threads_of_a_user_count() {
        let uid = getuid().as_raw();
        let (send, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv());
        assert!(tasks_of(uid) >= 2, "this thread and the other one");
        drop(send);
        let _ = thread.join();
    }
}
