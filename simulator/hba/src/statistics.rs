//! The counters of an HBA.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use sansim_array::HbaId;

use crate::malformed::Malformed;

/// Counters since the HBA was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Front ends that have connected.
    pub connections: u64,
    /// SCSI commands received, including those without a target.
    pub received: u64,
    /// SCSI commands completed, including those without a target.
    pub commands: u64,
    /// Bytes of data-in written to guest memory.
    pub bytes_in: u64,
    /// Bytes of data-out read from guest memory.
    pub bytes_out: u64,
    /// How often a command was parked.
    pub parked: u64,
    /// Task management functions received.
    pub task_management: u64,
    /// Events delivered to the guest.
    pub events: u64,
    /// Events lost because the guest did not offer enough buffers.
    pub events_missed: u64,
    /// Malformed requests and rings.
    pub malformed: u64,
    /// Interrupts raised for the guest.
    pub notifications: u64,
}

/// The counters while the HBA runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Counter,
    pub(crate) received: Counter,
    pub(crate) commands: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) parked: Counter,
    pub(crate) task_management: Counter,
    pub(crate) events: Counter,
    pub(crate) events_missed: Counter,
    pub(crate) malformed: Counter,
    pub(crate) notifications: Counter,
    /// A bit for each kind of [`Malformed`] that was already logged.
    reported: AtomicU32,
}

/// A counter that several threads increment.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            connections: self.connections.get(),
            received: self.received.get(),
            commands: self.commands.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            parked: self.parked.get(),
            task_management: self.task_management.get(),
            events: self.events.get(),
            events_missed: self.events_missed.get(),
            malformed: self.malformed.get(),
            notifications: self.notifications.get(),
        }
    }

    /// Counts a malformed request or ring. Logs only the first of each kind, because a guest could
    /// cause thousands.
    pub(crate) fn report(&self, hba: HbaId, queue: u16, what: Malformed) {
        self.malformed.add(1);
        let bit = 1 << what as u32;
        if self.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(%hba, queue, "the guest broke the rules of virtio-scsi: {what}");
        }
    }
}
