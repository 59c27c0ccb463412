//! The place in which a soak happens, and what is left in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    disk::Disk,
    place::{Place, processes},
};

/// How long processes and files may take to go.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory for everything that the soak writes, and the cache disk.
pub(crate) struct Room {
    // Before the place: it is mounted there.
    pub(crate) disk: Disk,
    pub(crate) place: Place,
}

impl Room {
    pub(crate) fn new(mib: u64) -> Room {
        let place = Place::new();
        let at = place.path().join("cache");
        fs::create_dir(&at).expect("a directory");
        let room = Room { disk: Disk::mount(&at, mib), place };
        let built = room.sansim().args(["image", "build", "bookworm"]).status();
        assert!(built.expect("sansim").success(), "the image cannot be built");
        room
    }

    /// The command, with the cache of this room.
    pub(crate) fn sansim(&self) -> Command {
        let mut command = self.place.sansim();
        self.disk.given_to(&mut command);
        command
    }

    /// What is there, but for the cache and the directories of the runs: processes, sockets, files.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        let files = self.place.left_over().into_iter().chain(shared_memory());
        self.processes().into_iter().chain(files.map(|path| path.display().to_string())).collect()
    }

    /// What is there and was not before. Waits for what is about to go.
    pub(crate) fn left(&self, before: &BTreeSet<String>) -> Vec<String> {
        self.wait(|| self.all().difference(before).cloned().collect())
    }

    /// The processes that are there and were not before: a sansim that was killed leaves files, which the
    /// next one removes.
    pub(crate) fn left_running(&self, before: &BTreeSet<String>) -> Vec<String> {
        self.wait(|| self.processes().into_iter().filter(|one| !before.contains(one)).collect())
    }

    fn wait(&self, left: impl Fn() -> Vec<String>) -> Vec<String> {
        let began = Instant::now();
        loop {
            let left = left();
            if left.is_empty() || began.elapsed() > PATIENCE {
                return left;
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// The processes that have this room in their environment or command line.
    fn processes(&self) -> Vec<String> {
        let here = self.place.path().display().to_string();
        let others = processes().into_iter().filter(|pid| *pid != std::process::id());
        others.filter_map(|pid| named(pid, &here)).collect()
    }
}

/// What a process is called, if this path is in its environment or command line.
fn named(pid: u32, path: &str) -> Option<String> {
    let of = |file: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let line = of("cmdline");
    let ours = line.contains(path) || of("environ").contains(path);
    ours.then(|| format!("process {pid} {}", line.split('\0').next().unwrap_or_default()))
}

/// Shared memory that has a name.
fn shared_memory() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("/dev/shm")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
