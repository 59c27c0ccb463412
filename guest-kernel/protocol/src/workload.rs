//! The I/O to run on a map, and its results.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The I/O to run on a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// The name of the workload, by which its events and [`Call::StopWorkload`](crate::Call) refer to it.
    /// By convention the usual name of the map.
    pub map: String,
    /// Name of the dm device.
    pub device: String,
    /// What is read and written, and whether it is verified.
    pub pattern: Pattern,
    /// Size of a request in bytes; a multiple of 4096.
    pub block_bytes: u32,
    /// Most requests in flight.
    pub queue_depth: u32,
    /// How much of the map is used, in bytes from its start.
    pub region_bytes: u64,
    /// Percentage of reads, from 0 to 100.
    pub read_percent: u8,
    /// Most requests per second; 0 means no limit.
    pub rate: u32,
    /// Requests that are submitted together if there is a rate.
    pub burst: u32,
    /// Seed of the sequence of operations and addresses.
    pub seed: u64,
    /// How long I/O may be in flight without any completion before that is reported as a stall, in
    /// milliseconds (0: never).
    pub stall_ms: u64,
    /// A bug that is planted in the workload.
    pub canary: Option<WorkloadCanary>,
}

/// Bugs that are planted in the workload on purpose, to see whether they are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadCanary {
    /// A request that completes more than a second after it was sent is never counted as completed.
    LostCompletion,
}

/// The kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Reads and writes generation-stamped blocks at random. Every byte that is read is verified.
    Verify,
    /// Reads at random, without verifying blocks that were never written.
    Read,
}

/// The results of a workload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkloadReport {
    /// Successful reads, including the final read-back.
    pub reads: u64,
    /// Successful writes; failed ones are in `errors`.
    pub writes: u64,
    /// Failed reads and writes.
    pub errors: u64,
    /// Requests still in flight at the end of the wait.
    pub stuck: u64,
    /// Blocks that were written but not read back: I/O was stuck, or the read failed or did not complete in
    /// time. Their contents are unknown.
    #[serde(default)]
    pub unchecked: u64,
    /// Blocks with wrong contents, by kind.
    pub corrupt: Corruption,
    /// Longest time without a completion while I/O was in flight, in nanoseconds.
    pub longest_stall_ns: u64,
    /// Latencies of completed requests, including failed ones.
    pub latency: Latency,
}

/// Latencies from submission to completion, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Median: half of the requests completed within this time.
    pub p50_ns: u64,
    /// 99th percentile: 99 % of the requests completed within this time.
    pub p99_ns: u64,
    /// Latency of the slowest request.
    pub max_ns: u64,
}

/// Number of corrupt blocks by kind. A block is counted once until it is written again, however often it is
/// read.
///
/// A failed write may have reached the disk or not, completely or in part. Until the next write of the
/// block succeeds, both the old and the new generation are accepted, sector by sector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corruption {
    /// Blocks with an older generation than one that was read before: newer data was there and is gone.
    pub stale: u64,
    /// Blocks with sectors of different generations.
    pub torn: u64,
    /// Blocks with intact data of another address, of this map or another.
    pub misplaced: u64,
    /// Blocks whose acknowledged write was never seen: they still have their earlier contents.
    pub lost: u64,
    /// Blocks with bytes that no write of this run produced.
    pub garbled: u64,
}

impl Corruption {
    /// Number of corrupt blocks of any kind.
    pub fn total(&self) -> u64 {
        self.stale + self.torn + self.misplaced + self.lost + self.garbled
    }

    /// Counts a block of this kind.
    pub fn count(&mut self, kind: CorruptionKind) {
        *match kind {
            CorruptionKind::Stale => &mut self.stale,
            CorruptionKind::Torn => &mut self.torn,
            CorruptionKind::Misplaced => &mut self.misplaced,
            CorruptionKind::Lost => &mut self.lost,
            CorruptionKind::Garbled => &mut self.garbled,
        } += 1;
    }
}

/// The kinds of corruption; the fields of [`Corruption`] define them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorruptionKind {
    /// An older generation than one that was read before.
    Stale,
    /// Sectors of different generations.
    Torn,
    /// Intact data of another address.
    Misplaced,
    /// The contents before an acknowledged write.
    Lost,
    /// Bytes that no write of this run produced.
    Garbled,
}

impl fmt::Display for CorruptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CorruptionKind::Stale => "stale",
            CorruptionKind::Torn => "torn",
            CorruptionKind::Misplaced => "misplaced",
            CorruptionKind::Lost => "lost",
            CorruptionKind::Garbled => "garbled",
        })
    }
}

/// Direction of a workload's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoDirection {
    /// From disk to memory.
    Read,
    /// From memory to disk.
    Write,
}

impl fmt::Display for IoDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            IoDirection::Read => "read",
            IoDirection::Write => "write",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_corruption_has_a_counter_of_its_name() {
        use CorruptionKind::{Garbled, Lost, Misplaced, Stale, Torn};
        for kind in [Stale, Torn, Misplaced, Lost, Garbled] {
            let mut corruption = Corruption::default();
            corruption.count(kind);
            assert_eq!(corruption.total(), 1);
            let counters = serde_json::to_value(corruption).unwrap();
            assert_eq!(counters[kind.to_string()], 1, "{kind}");
            assert_eq!(serde_json::to_value(kind).unwrap(), *kind.to_string());
        }
    }
}
