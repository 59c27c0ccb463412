//! Detects what the kernel sends: tracepoints and kprobes, through `perf_event_open`.
//!
//! | what is sent | seen by | for |
//! |---|---|---|
//! | a command to an HBA | tracepoint `scsi:scsi_dispatch_cmd_start` | [`SentCommands`] |
//! | a command that the driver rejected | tracepoint `scsi:scsi_dispatch_cmd_error` | [`SentCommands`] |
//! | a command of the error handler | kprobe on `scsi_send_eh_cmnd` | [`SentCommands`] |
//! | any request put into a virtqueue | kprobe on `virtqueue_add_sgs` | [`Queued`] |
//!
//! The first three fire before the command is in its virtqueue. A fully preemptible kernel could run the
//! asker in between: the lab would find no request, let time continue, and not notice the command when it
//! is queued. So these three are only counted. `virtqueue_add_sgs` is called with interrupts off
//! (`virtio_scsi.c:virtscsi_add_cmd`, `virtio_blk.c:virtio_queue_rq`), so a thread that it wakes runs only
//! after the request is queued.
//!
//! A perf event is bound to a processor, so there is one of each kind per processor.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use perf_event::events::{Event, KProbe, Tracepoint};
use perf_event::{Builder, Counter, Sampler};
use rustix::mount::{MountFlags, mount};
use sansim_protocol::Sent;

use crate::fail::{Doing, Result};

/// Mount point of tracefs, which lists the tracepoints.
const TRACEFS: &str = "/sys/kernel/tracing";

/// Size of a perf ring buffer in bytes. Its contents are never read; it only wakes the poller.
const RING: usize = 4096;

/// The kernel function that puts a request into a virtqueue.
const PUT: &str = "virtqueue_add_sgs";

/// Counts the commands sent to HBAs, from the moment the modules with these tracepoints are loaded.
#[derive(Clone, Default)]
pub(crate) struct SentCommands(Arc<OnceLock<Mutex<Counters>>>);

impl SentCommands {
    /// Starts counting, if the modules are loaded and counting has not started yet.
    pub(crate) fn ensure(&self) -> Result<()> {
        if self.0.get().is_none() && Counters::are_there() {
            let _ = self.0.set(Mutex::new(Counters::open()?));
        }
        Ok(())
    }

    /// The counts so far; all zero before counting starts.
    pub(crate) fn sent(&self) -> Sent {
        let Some(counters) = self.0.get() else { return Sent::default() };
        counters.lock().unwrap_or_else(PoisonError::into_inner).sent()
    }
}

struct Counters {
    dispatched: Vec<Counter>,
    refused: Vec<Counter>,
    /// `None` if the kernel has no kprobes.
    recovery: Option<Vec<Counter>>,
}

impl Counters {
    fn are_there() -> bool {
        Path::new("/sys/module/scsi_mod").exists() && Path::new("/sys/module/virtio_scsi").exists()
    }

    fn open() -> Result<Counters> {
        let _ = mount("tracefs", TRACEFS, "tracefs", MountFlags::empty(), None);
        let count =
            |name: &str| on_every_processor(&tracepoint(name)?).doing(|| format!("count {name}"));
        Ok(Counters {
            dispatched: count("scsi/scsi_dispatch_cmd_start")?,
            refused: count("scsi/scsi_dispatch_cmd_error")?,
            recovery: on_function("scsi_send_eh_cmnd").ok(),
        })
    }

    fn sent(&mut self) -> Sent {
        Sent {
            dispatched: total(&mut self.dispatched),
            refused: total(&mut self.refused),
            recovery: self.recovery.as_mut().map(|counters| total(counters)),
        }
    }
}

/// Becomes readable when a request is put into a virtqueue, of an HBA or of the userland's disk.
pub(crate) struct Queued(Vec<Sampler>);

impl Queued {
    /// Starts watching. virtio_ring must be loaded or built in.
    ///
    /// # Errors
    /// When the kernel has no kprobes: time could not stand still for any command.
    pub(crate) fn open() -> Result<Queued> {
        let sampled = |counters: Vec<Counter>| {
            counters.into_iter().map(|counter| counter.sampled(RING)).collect::<io::Result<_>>()
        };
        on_function(PUT).and_then(sampled).map(Queued).doing(|| {
            format!("watch {PUT} (exact time needs virtio's drivers and KPROBES; see --time real)")
        })
    }

    /// The descriptors to poll, one per processor.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        // SAFETY: the sampler owns the descriptor and lives as long as the borrow.
        self.0.iter().map(|sampler| unsafe { BorrowedFd::borrow_raw(sampler.as_raw_fd()) })
    }

    /// Empties the ring buffers, so that the next event wakes the poller again.
    pub(crate) fn drain(&mut self) {
        for sampler in &mut self.0 {
            while sampler.next_record().is_some() {}
        }
    }
}

fn total(counters: &mut [Counter]) -> u64 {
    counters.iter_mut().map(|counter| counter.read().unwrap_or(0)).sum()
}

fn tracepoint(name: &str) -> Result<Tracepoint> {
    let path = format!("{TRACEFS}/events/{name}/id");
    let id = fs::read_to_string(&path).doing(|| format!("read {path}"))?;
    Ok(Tracepoint::with_id(id.trim().parse().doing(|| format!("read {path}"))?))
}

/// Counters for a kprobe on a kernel function.
fn on_function(name: &str) -> io::Result<Vec<Counter>> {
    on_every_processor(&KProbe::probe(name, 0)?)
}

/// One counter per processor, set to wake a reader at each event.
fn on_every_processor<E: Event + Clone>(event: &E) -> io::Result<Vec<Counter>> {
    let processors = std::thread::available_parallelism()?.get();
    let open = |processor| {
        let mut builder = Builder::new(event.clone());
        builder.any_pid().one_cpu(processor).include_kernel().include_hv();
        builder.sample_period(1).wakeup_events(1);
        let mut counter = builder.build()?;
        counter.enable()?;
        Ok(counter)
    };
    (0..processors).map(open).collect()
}
