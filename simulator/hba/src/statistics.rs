//! What an HBA has done, in numbers.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use sansim_array::HbaId;

use crate::malformed::Malformed;

/// What an HBA has done since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Connections of a front end.
    pub connections: u64,
    /// SCSI commands received, also those that no target answered.
    pub received: u64,
    /// SCSI commands completed, also those that no target answered.
    pub commands: u64,
    /// Bytes of data written to the guest's memory.
    pub bytes_in: u64,
    /// Bytes of data read from the guest's memory.
    pub bytes_out: u64,
    /// Commands that were parked.
    pub parked: u64,
    /// Task management functions answered.
    pub task_management: u64,
    /// Events delivered to the guest.
    pub events: u64,
    /// Events lost because the guest offered no buffer for them.
    pub events_missed: u64,
    /// Requests and rings that broke the rules.
    pub malformed: u64,
    /// Interrupts sent to the guest.
    pub notifications: u64,
}

/// The numbers while they are being counted.
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
    /// A bit for each kind of [`Malformed`] that was logged.
    reported: AtomicU32,
}

/// A number that several threads add to.
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

    /// Counts something malformed, and logs the first of its kind: a guest could write thousands.
    pub(crate) fn report(&self, hba: HbaId, queue: u16, what: Malformed) {
        self.malformed.add(1);
        let bit = 1 << what as u32;
        if self.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(%hba, queue, "the guest broke the rules of virtio-scsi: {what}");
        }
    }
}
