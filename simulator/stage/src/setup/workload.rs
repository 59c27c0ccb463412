//! The I/O of a story, resolved.

use std::time::Duration;

use sansim_array::Lun;
use sansim_protocol::{Pattern, WorkloadCanary};

/// The I/O that runs on one LUN's map during the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The pattern of the I/O.
    pub pattern: Pattern,
    /// The LUN whose map gets the I/O.
    pub lun: Lun,
    /// The maximum number of requests in flight.
    pub queue_depth: u32,
    /// The size of a request in bytes, a multiple of 4096.
    pub block: u32,
    /// The size of the used region in bytes, from the start of the map.
    pub region: u64,
    /// The percentage of reads.
    pub read_percent: u8,
    /// The maximum number of requests per second; 0 means unlimited.
    pub rate: u32,
    /// The number of requests that are sent together if `rate` is not 0.
    pub burst: u32,
    /// A gap between completions at least this long counts as a stall.
    pub stall: Duration,
    /// The story time at which the workload starts.
    pub start: Duration,
    /// A bug that is planted in the workload, to see whether it is found.
    pub canary: Option<WorkloadCanary>,
}
