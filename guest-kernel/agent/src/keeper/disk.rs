//! The disk that the userland is on. QEMU serves it, not the lab: it is watched until its requests
//! are done.

use std::ffi::CString;
use std::fs;

use super::linger::linger;
use super::probe::{Probe, probe_some, total, tracepoint};
use crate::fail::{Doing, Result};

/// Turns between two looks, which cost some system calls.
const TURNS: u32 = 50;

/// Turns after which a disk that does not answer is given up on: some ten seconds of the host.
const PATIENCE: u32 = 10_000_000;

/// The requests to the userland's disk.
pub(super) struct Disk {
    pub(super) issued: Vec<Probe>,
    requeued: Vec<Probe>,
    completed: Vec<Probe>,
    /// Requests that were given up on.
    lost: u64,
}

impl Disk {
    /// Starts to watch; none if there is no such disk.
    pub(super) fn open() -> Result<Option<Disk>> {
        let Some(filter) = filter() else { return Ok(None) };
        let open = |name: &str, wake| {
            probe_some(&tracepoint(name)?, wake, Some(&filter)).doing(|| format!("watch {name}"))
        };
        Ok(Some(Disk {
            issued: open("block/block_rq_issue", true)?,
            requeued: open("block/block_rq_requeue", false)?,
            completed: open("block/block_rq_complete", false)?,
            lost: 0,
        }))
    }

    /// Keeps the processor busy until all requests are done.
    pub(super) fn wait(&mut self) {
        for _ in 0..PATIENCE / TURNS {
            if self.in_flight() <= self.lost {
                return;
            }
            (0..TURNS).for_each(|_| linger());
        }
        self.lost = self.in_flight();
    }

    fn in_flight(&mut self) -> u64 {
        // In this order: what completes in between counts as under way, and not the other way round.
        let ended = total(&mut self.completed) + total(&mut self.requeued);
        total(&mut self.issued).saturating_sub(ended)
    }
}

/// The filter that picks the virtio disks, by the number that the tracepoints give (`dev_t` as the
/// kernel has it, with 20 bits of minor).
fn filter() -> Option<CString> {
    let disks = fs::read_dir("/sys/class/block").ok()?.flatten();
    let virtio = disks.filter(|disk| disk.file_name().to_string_lossy().starts_with("vd"));
    let conditions = virtio.filter_map(|disk| {
        let dev = fs::read_to_string(disk.path().join("dev")).ok()?;
        let (major, minor) = dev.trim().split_once(':')?;
        let number = major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?;
        Some(format!("dev == {number}"))
    });
    let text = conditions.collect::<Vec<_>>().join(" || ");
    CString::new(text).ok().filter(|text| !text.is_empty())
}
