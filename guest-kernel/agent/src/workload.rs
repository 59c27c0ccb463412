//! Workloads: I/O on a map, with verification of what is read.

mod engine;
mod ledger;
mod report;
mod ring;
mod schedule;
mod stamp;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use sansim_protocol::{Pattern, WorkloadReport, WorkloadSpec};

use crate::clock::now_ns;
use crate::dm::Dm;
use crate::fail::{Doing, Failure, Result};
use crate::outbox::Outbox;
use crate::thread;
use engine::{Engine, Order, Slots};
use ledger::Ledger;
use report::Meter;
use ring::{PAGE, Ring};
use schedule::{Pacer, Stream};
use stamp::Run;

/// Most bytes of buffers for a workload. The guest has 256 MiB of memory in total.
const MAX_BUFFERS: u64 = 64 << 20;

/// Most blocks in a workload. The ledger takes 16 bytes for each.
const MAX_BLOCKS: u64 = 4 << 20;

/// Largest request in bytes.
const MAX_BLOCK: u32 = 4 << 20;

/// The workloads of this guest, at most one per map.
pub(crate) struct Workloads {
    running: Mutex<HashMap<String, Running>>,
    runs: Mutex<Runs>,
    outbox: Outbox,
}

/// Numbers the runs, so that the data of each run is distinguishable.
#[derive(Default)]
struct Runs {
    guest: Option<u32>,
    maps: Vec<String>,
    started: u16,
}

impl Runs {
    /// The next run on `map`.
    fn next(&mut self, map: &str, seed: u64) -> Run {
        // The clock makes this number differ from that of an earlier guest with the same seed, whose data
        // may still be on the disk.
        let guest = *self.guest.get_or_insert_with(|| stamp::mix(seed ^ now_ns()) as u32);
        let index = self.maps.iter().position(|known| known == map).unwrap_or_else(|| {
            self.maps.push(map.to_owned());
            self.maps.len() - 1
        });
        self.started = self.started.wrapping_add(1);
        Run { guest, map: index as u16, number: self.started }
    }
}

struct Running {
    orders: Sender<Order>,
    wake: OwnedFd,
    thread: JoinHandle<()>,
    /// Set once the workload was ordered to stop. The thread may still wait for stuck I/O.
    stopping: bool,
}

impl Workloads {
    /// Creates an empty set. Events go to `outbox`.
    pub(crate) fn new(outbox: Outbox) -> Workloads {
        Workloads { running: Mutex::default(), runs: Mutex::default(), outbox }
    }

    /// Starts a workload on a map that has none.
    pub(crate) fn start(&self, spec: &WorkloadSpec) -> Result<()> {
        let blocks = check(spec)?;
        let mut running = self.lock();
        running.retain(|_, running| !running.thread.is_finished());
        match running.get(&spec.map) {
            Some(Running { stopping: true, .. }) => {
                return Err(Failure::new(format!(
                    "I/O of the last workload on map {} has still not ended; start this one when it has",
                    spec.map
                )));
            }
            Some(_) => {
                return Err(Failure::new(format!("a workload runs on map {} already", spec.map)));
            }
            None => {}
        }
        let started = self.spawn(spec, blocks)?;
        running.insert(spec.map.clone(), started);
        Ok(())
    }

    fn spawn(&self, spec: &WorkloadSpec, blocks: usize) -> Result<Running> {
        let file = open(spec)?;
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.next(&spec.map, spec.seed);
        drop(runs);
        let ring = Ring::new(file, spec.queue_depth, spec.block_bytes)
            .doing(|| "set up an io_uring".to_owned())?;
        let event = || eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
        let wake = event().doing(|| "create an eventfd".to_owned())?;
        let (orders, receiver) = channel();
        let now = now_ns();
        let read_percent = match spec.pattern {
            Pattern::Verify => spec.read_percent,
            Pattern::Read => 100,
        };
        let engine = Engine {
            ring,
            ledger: Ledger::new(run, spec.block_bytes, blocks),
            stream: Stream::new(spec.seed, blocks, read_percent),
            pacer: Pacer::new(spec.rate, spec.burst, spec.queue_depth, now),
            meter: Meter::new(spec.map.clone(), spec.stall_ms, now),
            outbox: self.outbox.clone(),
            orders: receiver,
            wake: wake.try_clone().doing(|| "duplicate an eventfd".to_owned())?,
            slots: Slots::new(spec.queue_depth),
            canary: spec.canary,
        };
        let thread = thread::start("workload", || engine.run())?;
        Ok(Running { orders, wake, thread, stopping: false })
    }

    /// Stops a workload, reads back what it wrote and compares.
    pub(crate) fn stop(&self, map: &str, patience: Duration) -> Result<WorkloadReport> {
        self.order_stop(map, patience, true)
            .ok_or_else(|| Failure::new(format!("no workload runs on map {map}")))
    }

    /// Stops the workload of a map that is being removed, if it has one.
    pub(crate) fn abandon(&self, map: &str, patience: Duration) {
        self.order_stop(map, patience, false);
        // The map's disks may be used for another map, which then legitimately contains this data.
        *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = Runs::default();
    }

    fn order_stop(&self, map: &str, patience: Duration, read_back: bool) -> Option<WorkloadReport> {
        let (answer, report) = channel();
        let patience_ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        {
            let mut running = self.lock();
            let running = running.get_mut(map).filter(|running| !running.stopping)?;
            running.stopping = true;
            running.orders.send(Order { patience_ns, read_back, answer }).ok()?;
            rustix::io::write(&running.wake, &1u64.to_ne_bytes()).ok()?;
        }
        let report = report.recv().ok()?;
        if report.stuck == 0
            && let Some(ended) = self.lock().remove(map)
        {
            // The thread has nothing left to do. When the answer is there, the next workload can start.
            let _ = ended.thread.join();
        }
        Some(report)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a specification. Returns the number of blocks.
fn check(spec: &WorkloadSpec) -> Result<usize> {
    let refuse = |why: String| Err(Failure::new(format!("the workload cannot be: {why}")));
    let bytes = spec.block_bytes;
    if bytes == 0 || !(bytes as usize).is_multiple_of(PAGE) || bytes > MAX_BLOCK {
        return refuse(format!(
            "block_bytes is {bytes}, not a multiple of {PAGE} up to {MAX_BLOCK}"
        ));
    }
    let buffers = u64::from(bytes) * u64::from(spec.queue_depth);
    if spec.queue_depth == 0 || spec.queue_depth > 4096 || buffers > MAX_BUFFERS {
        return refuse(format!(
            "queue_depth is {}; 1 to 4096 are possible, and {MAX_BUFFERS} bytes of buffers in all",
            spec.queue_depth
        ));
    }
    if spec.read_percent > 100 {
        return refuse(format!("read_percent is {}", spec.read_percent));
    }
    let blocks = spec.region_bytes / u64::from(bytes);
    if blocks == 0 || blocks > MAX_BLOCKS {
        return refuse(format!(
            "region_bytes makes {blocks} blocks; 1 to {MAX_BLOCKS} are possible"
        ));
    }
    Ok(blocks as usize)
}

/// Opens the map and checks that the region fits.
fn open(spec: &WorkloadSpec) -> Result<File> {
    let device = Dm::open()?.find(&spec.device)?;
    let size = device.bytes()?;
    if spec.region_bytes > size {
        return Err(Failure::new(format!(
            "the workload's region of {} bytes is larger than map {}, which has {size}",
            spec.region_bytes, spec.device
        )));
    }
    let path = device.node();
    OpenOptions::new()
        .read(true)
        .write(spec.pattern == Pattern::Verify)
        .custom_flags(OFlags::DIRECT.bits() as i32)
        .open(&path)
        .doing(|| format!("open {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> WorkloadSpec {
        WorkloadSpec {
            map: "m".into(),
            device: "m".into(),
            pattern: Pattern::Verify,
            block_bytes: 4096,
            queue_depth: 8,
            region_bytes: 1 << 20,
            read_percent: 50,
            rate: 0,
            burst: 1,
            seed: 1,
            stall_ms: 1000,
            canary: None,
        }
    }

    #[test]
    fn runs_are_told_apart_by_guest_map_and_number() {
        let mut runs = Runs::default();
        let (a, b, again) = (runs.next("a", 1), runs.next("b", 1), runs.next("a", 1));
        assert!(a.guest == b.guest && a.guest == again.guest);
        assert!(a.map != b.map && a.map == again.map);
        assert!(a.number != again.number);
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        assert_eq!(check(&spec()), Ok(256));
        let refused = [
            WorkloadSpec { block_bytes: 0, ..spec() },
            WorkloadSpec { block_bytes: 512, ..spec() },
            WorkloadSpec { block_bytes: 8 << 20, ..spec() },
            WorkloadSpec { queue_depth: 0, ..spec() },
            WorkloadSpec { queue_depth: 4096, block_bytes: 1 << 20, ..spec() },
            WorkloadSpec { read_percent: 101, ..spec() },
            WorkloadSpec { region_bytes: 4095, ..spec() },
            WorkloadSpec { region_bytes: u64::MAX, ..spec() },
        ];
        for spec in refused {
            assert!(check(&spec).is_err(), "{spec:?}");
        }
    }
}
