//! Implements the lab's calls.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use sansim_protocol::{Answer, Call, TargetAddress, USERLAND};

use super::{Agent, parts};
use crate::clock::now_ns;
use crate::dm::{self, Dm};
use crate::fail::{Doing, Failure, Result};
use crate::modprobe::Modules;
use crate::{init, scan, thread};

/// Longest part of a file that is read, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// Additional time for a scan to end, after the scan's own timeout.
const SCAN_GRACE: Duration = Duration::from_secs(2);

/// How long the I/O of a map may take to fail before the map is removed.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

/// How long a removal may take. After that the lab gets an error: the kernel is stuck.
const REMOVE_PATIENCE: Duration = Duration::from_secs(15);

impl Agent {
    pub(super) fn carry_out(self: &Arc<Agent>, call: Call) -> Result<Answer> {
        match call {
            Call::Hello => return Ok(Answer::Hello { now_ns: now_ns() }),
            Call::LoadModules { modules } => self.load_modules(&modules)?,
            Call::Scan { targets, expect_disks, timeout_ms } => {
                return scan_within(targets, expect_disks, Duration::from_millis(timeout_ms));
            }
            Call::BuildMap(spec) => {
                dm::load()?;
                self.watch.ensure()?;
                return Ok(Answer::Map(Dm::open()?.build(&spec)?));
            }
            Call::RemoveMap { map } => self.remove_map(map)?,
            Call::Message { map, message } => {
                Dm::open()?.message(&map, &message)?;
                self.watch.look();
            }
            Call::Status { map } => return Ok(Answer::Map(Dm::open()?.status(&map)?)),
            Call::Maps => return Ok(Answer::Maps { maps: Dm::open()?.maps()? }),
            Call::StartWorkload(spec) => self.workloads.start(&spec)?,
            Call::StopWorkload { map, timeout_ms } => {
                let report = self.workloads.stop(&map, Duration::from_millis(timeout_ms))?;
                self.watch.look();
                return Ok(Answer::Workload(report));
            }
            Call::Run { argv, timeout_ms } => {
                let answer = self.userland.run(&argv, Duration::from_millis(timeout_ms))?;
                self.watch.ensure()?;
                self.watch.look();
                return Ok(answer);
            }
            Call::StartDaemon { name, argv } => self.userland.start(&name, &argv, &self.outbox)?,
            Call::OpenTerminal { argv, term, size } => {
                self.userland.ensure()?;
                let terminal = self.terminals.open(&argv, &term, size)?;
                return Ok(Answer::Terminal { terminal });
            }
            Call::Type { terminal, bytes } => self.terminals.type_on(terminal, &bytes.0)?,
            Call::ResizeTerminal { terminal, size } => self.terminals.resize(terminal, size)?,
            Call::CloseTerminal { terminal } => self.terminals.close(terminal),
            Call::ListDirectory { path } => return Ok(Answer::Names { names: self.list(&path)? }),
            Call::WriteFile { path, text } => self.write(&path, &text)?,
            Call::ReadFile { path } => return Ok(Answer::Text { text: self.read(&path)? }),
            Call::ReadPart { path, offset, length } => {
                self.reach(&path)?;
                return Ok(Answer::Part { bytes: parts::read(&path, offset, length)? });
            }
            Call::WritePart { path, offset, bytes } => {
                self.reach(&path)?;
                create_parent(&path)?;
                parts::write(&path, offset, &bytes.0)?;
            }
            Call::Sent => return Ok(Answer::Sent(self.commands.sent())),
            // Writing to urandom mixes the bytes into the pool (random(4)).
            Call::Seed { seed } => {
                fs::write("/dev/urandom", seed.to_le_bytes()).doing(|| "seed".to_owned())?;
            }
            Call::PowerOff => init::power_off(),
        }
        Ok(Answer::Done)
    }

    fn load_modules(&self, modules: &[String]) -> Result<()> {
        let known = Modules::open()?;
        modules.iter().try_for_each(|module| known.load(module))?;
        self.watch.ensure()?;
        self.commands.ensure()
    }

    /// Removes a map, with a time limit: an activation that never ends blocks the kernel in removal forever
    /// (`dm-mpath.c:flush_multipath_work`).
    fn remove_map(self: &Arc<Agent>, map: String) -> Result<()> {
        let agent = self.clone();
        let late = format!("the kernel has not removed map {map}; an activation may be stuck");
        bounded("remove", REMOVE_PATIENCE, late, move || {
            let dm = Dm::open()?;
            dm.find(&map)?;
            // A suspended map refuses messages, but then it queues nothing that could be failed.
            let _ = dm.message(&map, "fail_if_no_path");
            agent.workloads.abandon(&map, DRAIN_PATIENCE);
            dm.remove(&map)
        })
    }

    /// The names in a directory, sorted.
    fn list(&self, path: &str) -> Result<Vec<String>> {
        self.reach(path)?;
        let entries = fs::read_dir(path).doing(|| format!("read {path}"))?;
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Writes a file. In the userland, missing parent directories are created.
    fn write(&self, path: &str, text: &str) -> Result<()> {
        self.reach(path)?;
        create_parent(path)?;
        fs::write(path, text).doing(|| format!("write {path}"))
    }

    /// Reads a file, up to [`MAX_FILE`] bytes.
    fn read(&self, path: &str) -> Result<String> {
        self.reach(path)?;
        let mut bytes = Vec::new();
        let file = File::open(path).doing(|| format!("open {path}"))?;
        file.take(MAX_FILE).read_to_end(&mut bytes).doing(|| format!("read {path}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Mounts the userland if the path is below it.
    fn reach(&self, path: &str) -> Result<()> {
        if !path.starts_with(USERLAND) {
            return Ok(());
        }
        self.userland.ensure()
    }
}

/// Creates the directory of a file in the userland.
fn create_parent(path: &str) -> Result<()> {
    match Path::new(path).parent().filter(|directory| directory.starts_with(USERLAND)) {
        Some(directory) => fs::create_dir_all(directory).doing(|| format!("write {path}")),
        None => Ok(()),
    }
}

fn scan_within(
    targets: Vec<TargetAddress>,
    expect_disks: usize,
    patience: Duration,
) -> Result<Answer> {
    let limit = patience + SCAN_GRACE;
    let scan = move || scan::scan(&targets, expect_disks, patience);
    let (disks, missing) = match within("scan", limit, scan)? {
        Some(scanned) => scanned,
        None => {
            let waited = limit.as_millis();
            let why = format!("the scan has not ended after {waited} ms: a target does not answer");
            (scan::disks()?, Some(why))
        }
    };
    Ok(Answer::Disks { disks, missing })
}

/// The same as [`within`]; fails with `late` after the time limit.
fn bounded<T: Send + 'static>(
    name: &str,
    limit: Duration,
    late: String,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let late = || Failure::new(format!("{late} (waited {} ms)", limit.as_millis()));
    within(name, limit, work)?.ok_or_else(late)
}

/// Runs `work` on its own thread; `None` if it takes longer than the time limit. Then the thread is
/// abandoned, since the kernel may block it forever.
fn within<T: Send + 'static>(
    name: &str,
    limit: Duration,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<Option<T>> {
    let (sender, done) = channel();
    thread::start(name, move || {
        // Nobody waits any more if it took too long.
        let _ = sender.send(work());
    })?;
    done.recv_timeout(limit).ok().transpose()
}
