//! The totals of the workloads.

use std::{collections::BTreeMap, time::Duration};

use sansim_array::Lun;
use sansim_protocol::{Happening, WorkloadReport};

use crate::Setup;

/// The totals of all workloads of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct IoSeen {
    /// The number of failed requests.
    pub errors: u64,
    /// The number of blocks with wrong data.
    pub corrupt: u64,
    /// The longest gap between completions while I/O was in flight.
    pub longest_stall: Duration,
    /// The number of completed reads.
    pub reads: u64,
    /// The number of completed writes.
    pub writes: u64,
    /// The number of requests that were never completed.
    pub stuck: u64,
    /// The number of blocks that could not be read back at the end.
    pub unchecked: u64,
}

impl IoSeen {
    fn of(report: &WorkloadReport) -> Self {
        IoSeen {
            errors: report.errors,
            corrupt: report.corrupt.total(),
            longest_stall: Duration::from_nanos(report.longest_stall_ns),
            reads: report.reads,
            writes: report.writes,
            stuck: report.stuck,
            unchecked: report.unchecked,
        }
    }

    /// Whether no request was ever sent.
    pub fn is_none(&self) -> bool {
        self.reads + self.writes + self.errors + self.stuck + self.corrupt == 0
    }

    /// The totals of two workloads together.
    fn and(self, other: Self) -> Self {
        IoSeen {
            errors: self.errors + other.errors,
            corrupt: self.corrupt + other.corrupt,
            longest_stall: self.longest_stall.max(other.longest_stall),
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
            stuck: self.stuck + other.stuck,
            unchecked: self.unchecked + other.unchecked,
        }
    }
}

/// The totals of the workloads, by the map that they run on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals(BTreeMap<String, OfMap>);

/// The totals of the workloads of one map, which run one after the other.
#[derive(Debug, Clone, Copy, Default)]
struct OfMap {
    /// Those before the last one.
    before: IoSeen,
    /// The last one.
    last: IoSeen,
    /// The errors of the last one that were reported individually, at most the number of errors.
    error_events: u64,
}

impl Totals {
    /// Records that a workload has started on a LUN's map.
    pub(crate) fn on_start(&mut self, lun: Lun) {
        let of = self.0.entry(Setup::map_name(lun)).or_default();
        *of = OfMap { before: of.before.and(of.last), ..OfMap::default() };
    }

    /// Records a report of the agent.
    pub(crate) fn on_happening(&mut self, what: &Happening) {
        match what {
            Happening::IoError { map, .. } => {
                let of = self.of(map);
                of.error_events += 1;
                of.last.errors = of.last.errors.max(of.error_events);
            }
            Happening::Corrupt { map, .. } => self.of(map).last.corrupt += 1,
            Happening::StallEnd { map, lasted_ns } => {
                let last = &mut self.of(map).last;
                last.longest_stall = last.longest_stall.max(Duration::from_nanos(*lasted_ns));
            }
            Happening::Progress { map, reads, writes, errors, .. } => {
                let last = &mut self.of(map).last;
                last.reads = last.reads.max(*reads);
                last.writes = last.writes.max(*writes);
                last.errors = last.errors.max(*errors);
            }
            _ => {}
        }
    }

    /// Replaces the totals of the LUN's last workload with those of its own report.
    pub(crate) fn on_report(&mut self, lun: Lun, report: &WorkloadReport) {
        self.of(&Setup::map_name(lun)).last = IoSeen::of(report);
    }

    fn of(&mut self, map: &str) -> &mut OfMap {
        self.0.entry(map.to_owned()).or_default()
    }

    /// The totals of the workloads of each LUN.
    pub(crate) fn by_lun(&self) -> impl Iterator<Item = (Lun, IoSeen)> + '_ {
        self.0.iter().filter_map(|(map, of)| Some((Setup::map_lun(map)?, of.before.and(of.last))))
    }

    /// The totals of all workloads.
    pub(crate) fn all(&self) -> IoSeen {
        self.0.values().fold(IoSeen::default(), |all, of| all.and(of.before).and(of.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(map: &str, reads: u64, errors: u64) -> Happening {
        Happening::Progress { map: map.into(), reads, writes: 1, errors, slowest_ns: 0 }
    }

    #[test]
    fn workloads_add_up() {
        let mut totals = Totals::default();
        totals.on_start(Lun(0));
        totals.on_happening(&progress("lun0", 5, 1));
        totals.on_happening(&progress("lun0", 7, 1));
        totals.on_happening(&progress("lun1", 3, 0));
        assert_eq!((totals.all().reads, totals.all().errors, totals.all().writes), (10, 1, 2));
        totals.on_report(Lun(0), &WorkloadReport { reads: 9, ..WorkloadReport::default() });
        assert_eq!((totals.all().reads, totals.all().errors), (12, 0));
        totals.on_start(Lun(0));
        totals.on_happening(&progress("lun0", 2, 4));
        assert_eq!((totals.all().reads, totals.all().errors), (14, 4));
    }
}
