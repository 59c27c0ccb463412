//! The I/O that is run against a map, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The I/O to run against a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// Name of the dm device.
    pub map: String,
    /// What is read and written, and whether it is checked.
    pub pattern: Pattern,
    /// Bytes a request; a multiple of 4096.
    pub block_bytes: u32,
    /// Requests in flight at most.
    pub queue_depth: u32,
    /// The part of the map that is used, in bytes from its start.
    pub region_bytes: u64,
    /// Share of reads, in percent.
    pub read_percent: u8,
    /// Requests a second at most; 0 is unlimited.
    pub rate: u32,
    /// Requests that go out together when there is a rate.
    pub burst: u32,
    /// Seed of the sequence of operations and addresses.
    pub seed: u64,
    /// A gap without any completion while I/O is in flight is reported as a stall from here, in
    /// milliseconds.
    pub stall_ms: u64,
}

/// What a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Reads and writes generation-stamped blocks at random; every byte read is checked.
    Verify,
    /// Reads at random, without checking what was never written.
    Read,
}

/// What a workload did and saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkloadReport {
    /// Reads completed, the final read-back included.
    pub reads: u64,
    /// Writes that completed without an error.
    pub writes: u64,
    /// Reads and writes that failed.
    pub errors: u64,
    /// Requests still in flight when the wait ended.
    pub stuck: u64,
    /// Blocks that were written and could not be read back: I/O was stuck, the read failed or did
    /// not end in time. Nothing is known about them.
    #[serde(default)]
    pub unchecked: u64,
    /// Blocks that did not hold what they should, by kind.
    pub corrupt: Corruption,
    /// The longest gap without a completion while I/O was in flight, in nanoseconds.
    pub longest_stall_ns: u64,
    /// How long requests took that have completed, failed ones too.
    pub latency: Latency,
}

/// Latencies from submission to completion, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// The slowest took so long.
    pub max_ns: u64,
}

/// Blocks found wrong, by what was wrong with them. A block is counted once until it is written
/// again, however often it is read.
///
/// A write that failed may have reached the disk or not, whole or in part: until the next write of
/// the block succeeds, the old and the new generation are both accepted, sector by sector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corruption {
    /// An older generation than one that had been read back already: newer data was there and is
    /// gone.
    pub stale: u64,
    /// Sectors of different generations in one block.
    pub torn: u64,
    /// Intact data that was written to another address, of this map or of another.
    pub misplaced: u64,
    /// A write that was acknowledged and never seen: the block still holds what was there before.
    pub lost: u64,
    /// Bytes that no write of this run produced.
    pub garbled: u64,
}

impl Corruption {
    /// How many blocks were found wrong, whatever is wrong with them.
    pub fn total(&self) -> u64 {
        self.stale + self.torn + self.misplaced + self.lost + self.garbled
    }

    /// One more of this kind.
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

/// What can be wrong with a block: the fields of [`Corruption`] say what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorruptionKind {
    /// Counted in [`Corruption::stale`].
    Stale,
    /// Counted in [`Corruption::torn`].
    Torn,
    /// Counted in [`Corruption::misplaced`].
    Misplaced,
    /// Counted in [`Corruption::lost`].
    Lost,
    /// Counted in [`Corruption::garbled`].
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

/// Which way a request of a workload moves data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoDirection {
    /// From the disk into memory.
    Read,
    /// From memory to the disk.
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
