//! The kernel's own word on what it sends: tracepoints and probes, through `perf_event_open`.
//!
//! | what goes out | seen by |
//! |---|---|
//! | a command to an HBA | tracepoint `scsi:scsi_dispatch_cmd_start` |
//! | one that the HBA's driver gave back | tracepoint `scsi:scsi_dispatch_cmd_error` |
//! | a command of the error handler | probe on `scsi_send_eh_cmnd` |
//! | anything that is put into a queue of an HBA | probe on `virtqueue_add_sgs` |
//! | a request to the userland's disk | tracepoints `block:block_rq_issue`, `_requeue`, `_complete` |
//!
//! The first three are only counted. They come before the command is in its queue, and a kernel that
//! can be preempted anywhere may have the lab asked in between: it would find nothing, let time go
//! on, and not hear of the command when it comes. `virtqueue_add_sgs` is called with interrupts off
//! (`virtio_scsi.c:virtscsi_add_cmd`), so that whoever it wakes runs when the command is there.
//!
//! Events belong to a processor each, so there is one of each kind for every processor.

use std::ffi::{CString, c_void};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use perf_event::events::{Event, KProbe, Tracepoint};
use perf_event::{Builder, Counter, Sampler};
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use rustix::mount::{MountFlags, mount};
use sansim_protocol::Sent;

use super::disk::Disk;
use crate::fail::{Doing, Result};

/// Where the tracepoints are listed.
const TRACEFS: &str = "/sys/kernel/tracing";

/// Bytes of a ring: nobody reads what is in it, it only wakes its reader.
const RING: usize = 4096;

/// The events that are counted, and in skipped time wake the thread that keeps the clock.
pub(crate) struct Probes {
    dispatched: Vec<Probe>,
    refused: Vec<Probe>,
    /// None where the kernel has no probes.
    recovery: Option<Vec<Probe>>,
    /// What is put into the queues of HBAs; empty where nobody is to be woken by it.
    queued: Vec<Probe>,
    disk: Option<Disk>,
}

/// An event that is counted, or one that wakes somebody too.
pub(super) enum Probe {
    Count(Counter),
    Wake(Sampler),
}

impl Probes {
    /// Whether the modules are loaded whose events these are.
    pub(crate) fn are_there() -> bool {
        Path::new("/sys/module/scsi_mod").exists() && Path::new("/sys/module/virtio_scsi").exists()
    }

    /// Opens everything. `wake`: somebody is to be woken by what goes out.
    pub(crate) fn open(wake: bool) -> Result<Probes> {
        let _ = mount("tracefs", TRACEFS, "tracefs", MountFlags::empty(), None);
        let start = tracepoint("scsi/scsi_dispatch_cmd_start")?;
        let error = tracepoint("scsi/scsi_dispatch_cmd_error")?;
        Ok(Probes {
            dispatched: probe(&start, false).doing(|| "count commands".to_owned())?,
            refused: probe(&error, false).doing(|| "count commands".to_owned())?,
            recovery: on_function("scsi_send_eh_cmnd", false).ok(),
            queued: if wake { queued()? } else { Vec::new() },
            disk: None,
        })
    }

    /// Watches the userland's disk from now on. Not from the start: most runs never use it, and every
    /// request to any disk would be looked at.
    pub(crate) fn watch_disk(&mut self) -> Result<()> {
        if self.disk.is_none() {
            self.disk = Disk::open()?;
        }
        Ok(())
    }

    /// What becomes readable when something goes out to an HBA.
    pub(crate) fn commands(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.queued.iter().filter_map(Probe::descriptor)
    }

    /// What becomes readable when a request goes out to the userland's disk.
    pub(crate) fn disk_requests(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.disk.iter().flat_map(|disk| disk.issued.iter().filter_map(Probe::descriptor))
    }

    /// Keeps the processor busy while the userland's disk is.
    pub(crate) fn wait_for_disk(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.wait();
        }
    }

    /// Empties the rings, so that the next event wakes again.
    pub(crate) fn drain(&mut self) {
        let disk = self.disk.iter_mut().flat_map(|disk| &mut disk.issued);
        for probe in self.queued.iter_mut().chain(disk) {
            if let Probe::Wake(sampler) = probe {
                while sampler.next_record().is_some() {}
            }
        }
    }

    /// What went out so far.
    pub(crate) fn sent(&mut self) -> Sent {
        Sent {
            dispatched: total(&mut self.dispatched),
            refused: total(&mut self.refused),
            recovery: self.recovery.as_mut().map(|probes| total(probes)),
        }
    }
}

impl Probe {
    fn count(&mut self) -> u64 {
        let counter = match self {
            Probe::Count(counter) => counter,
            Probe::Wake(sampler) => sampler.as_counter_mut(),
        };
        counter.read().unwrap_or(0)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        let Probe::Wake(sampler) = self else { return None };
        // SAFETY: the descriptor is the sampler's, which lives as long as the borrow.
        Some(unsafe { BorrowedFd::borrow_raw(sampler.as_raw_fd()) })
    }
}

pub(super) fn total(probes: &mut [Probe]) -> u64 {
    probes.iter_mut().map(Probe::count).sum()
}

pub(super) fn tracepoint(name: &str) -> Result<Tracepoint> {
    let path = format!("{TRACEFS}/events/{name}/id");
    let id = fs::read_to_string(&path).doing(|| format!("read {path}"))?;
    Ok(Tracepoint::with_id(id.trim().parse().doing(|| format!("read {path}"))?))
}

/// What is put into a queue of an HBA wakes. Without it time would not stand still for any command.
fn queued() -> Result<Vec<Probe>> {
    on_function("virtqueue_add_sgs", true)
        .doing(|| "watch virtqueue_add_sgs (skipped time needs KPROBES)".to_owned())
}

/// A probe on a function of the kernel.
fn on_function(name: &str, wake: bool) -> io::Result<Vec<Probe>> {
    probe(&KProbe::probe(name, 0)?, wake)
}

fn probe<E: Event + Clone>(event: &E, wake: bool) -> io::Result<Vec<Probe>> {
    probe_some(event, wake, None)
}

/// Counts an event on every processor: all of them, or those that a filter picks.
pub(super) fn probe_some<E: Event + Clone>(
    event: &E,
    wake: bool,
    filter: Option<&CString>,
) -> io::Result<Vec<Probe>> {
    let processors = std::thread::available_parallelism()?.get();
    let open = |processor| {
        let mut builder = Builder::new(event.clone());
        builder.any_pid().one_cpu(processor).include_kernel().include_hv();
        builder.sample_period(1).wakeup_events(1);
        let mut counter = builder.build()?;
        if let Some(filter) = filter {
            set_filter(&counter, filter)?;
        }
        counter.enable()?;
        match wake {
            true => counter.sampled(RING).map(Probe::Wake),
            false => Ok(Probe::Count(counter)),
        }
    };
    (0..processors).map(open).collect()
}

/// PERF_EVENT_IOC_SET_FILTER of perf_event_open(2).
struct SetFilter<'a>(&'a CString);

// SAFETY: the request is _IOW('$', 6, char *); the kernel reads the string up to its end and
// writes nothing.
unsafe impl Ioctl for SetFilter<'_> {
    type Output = ();

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::write::<*const u8>(b'$', 6)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.0.as_ptr().cast_mut().cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

fn set_filter(counter: &Counter, filter: &CString) -> io::Result<()> {
    // SAFETY: the descriptor is the counter's, which lives as long as the borrow.
    let fd = unsafe { BorrowedFd::borrow_raw(counter.as_raw_fd()) };
    // SAFETY: `SetFilter` describes the request (see its impl).
    unsafe { ioctl(fd, SetFilter(filter))? };
    Ok(())
}
