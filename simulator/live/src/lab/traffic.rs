//! The traffic of each path, tick by tick.

use std::{collections::BTreeMap, time::Duration};

use sansim_array::{Class, CommandRecord, Nexus, ServiceResponse, Status};
use sansim_protocol::Happening;

use crate::api::{PathTraffic, Tick};

/// The number of latencies of a path that a tick tells.
const LATENCIES: usize = 8;

/// What has passed since the last tick.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    paths: BTreeMap<Nexus, OfPath>,
    /// Completed requests of each workload, by map, as it last told.
    totals: BTreeMap<String, u64>,
    completed: u64,
    slowest: Option<Duration>,
}

#[derive(Debug, Default)]
struct OfPath {
    good: u64,
    bytes: u64,
    failed: u64,
    others: u64,
    latencies: Vec<Duration>,
}

impl Traffic {
    /// Counts a completed command.
    pub(super) fn command(&mut self, record: &CommandRecord) {
        let path = self.paths.entry(record.nexus).or_default();
        let completion = &record.completion;
        if record.op.is_none_or(|op| op.class != Class::Medium) {
            path.others += 1;
            return;
        }
        if (completion.response, completion.status) == (ServiceResponse::Ok, Status::Good) {
            path.good += 1;
            path.bytes += u64::from(record.offered.saturating_sub(completion.residual));
        } else {
            path.failed += 1;
        }
        path.latency(record.latency);
    }

    /// Counts what a workload has told.
    pub(super) fn happening(&mut self, happening: &Happening) {
        let Happening::Progress { map, reads, writes, errors, slowest_ns } = happening else {
            return;
        };
        let total = reads + writes + errors;
        let before = self.totals.insert(map.clone(), total).unwrap_or(0);
        self.completed += total.saturating_sub(before);
        if *slowest_ns > 0 {
            let slowest = Duration::from_nanos(*slowest_ns);
            self.slowest = Some(self.slowest.unwrap_or_default().max(slowest));
        }
    }

    /// Ends the tick at `t`, after `seconds`, both of story time.
    pub(super) fn tick(&mut self, t: f64, seconds: f64) -> Tick {
        let paths = std::mem::take(&mut self.paths).into_iter().map(|(nexus, path)| PathTraffic {
            path: nexus.to_string(),
            good: path.good,
            bytes: path.bytes,
            failed: path.failed,
            others: path.others,
            latencies: path.latencies.iter().map(Duration::as_secs_f64).collect(),
        });
        let (paths, slowest) = (paths.collect(), self.slowest.take());
        let completed = std::mem::take(&mut self.completed);
        Tick { t, seconds, paths, completed, slowest: slowest.map(|time| time.as_secs_f64()) }
    }
}

impl OfPath {
    /// Keeps the first latencies, and the longest.
    fn latency(&mut self, latency: Duration) {
        if self.latencies.len() < LATENCIES {
            self.latencies.push(latency);
        } else if let Some(longest) = self.latencies.iter_mut().max()
            && *longest < latency
        {
            *longest = latency;
        }
    }
}
