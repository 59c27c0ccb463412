//! The I/O of a story, resolved.

use std::time::Duration;

use sansim_array::Lun;
use sansim_protocol::Pattern;

/// The I/O that runs on one LUN's map during the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// What to do.
    pub pattern: Pattern,
    /// The LUN whose map it runs on.
    pub lun: Lun,
    /// Requests in flight at most.
    pub queue_depth: u32,
    /// Bytes a request, a multiple of 4096.
    pub block: u32,
    /// The part of the map that is used, in bytes from its start.
    pub region: u64,
    /// Share of reads, in percent.
    pub read_percent: u8,
    /// Requests a second at most; 0 is unlimited.
    pub rate: u32,
    /// Requests that go out together when there is a rate.
    pub burst: u32,
    /// A gap without completions from this length counts as a stall.
    pub stall: Duration,
    /// When it starts.
    pub start: Duration,
}
