//! Which workloads run.

use std::collections::BTreeSet;

use sansim_array::Lun;
use sansim_protocol::WorkloadReport;
use sansim_time::Time;

/// The workloads of a stage: at most one at a time on each LUN's map.
#[derive(Debug, Default)]
pub(crate) struct Workloads {
    /// The LUN of the setup's workload and its start time, until it has started.
    waiting: Option<(Lun, Time)>,
    running: BTreeSet<Lun>,
    /// Why the setup's could not be started.
    refused: Option<String>,
    /// The reports of those that have stopped, added up.
    report: Option<WorkloadReport>,
}

impl Workloads {
    /// No workload runs; the setup's, if any, waits for its start time.
    pub(crate) fn new(waiting: Option<(Lun, Time)>) -> Self {
        Workloads { waiting, ..Workloads::default() }
    }

    /// The start time of the setup's workload, if it has not started yet.
    pub(crate) fn starts(&self) -> Option<Time> {
        self.waiting.map(|(_, at)| at)
    }

    /// Records why the setup's workload cannot be started. It waits no more.
    pub(crate) fn refused(&mut self, why: &str) {
        self.waiting = None;
        self.refused = Some(why.to_owned());
    }

    /// Why the setup's workload could not be started.
    pub(crate) fn refusal_at_start(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// The lowest LUN with a workload.
    pub(crate) fn first_running(&self) -> Option<Lun> {
        self.running.first().copied()
    }

    /// The LUNs with a workload.
    pub(crate) fn running(&self) -> impl Iterator<Item = Lun> + '_ {
        self.running.iter().copied()
    }

    /// Why no workload can be started on a LUN; `None` if one can.
    pub(crate) fn refusal(&self, lun: Lun) -> Option<String> {
        if self.running.contains(&lun) {
            return Some(format!("a workload runs on LUN {lun} already"));
        }
        let waits = self.waiting.is_some_and(|(waiting, _)| waiting == lun);
        waits.then(|| format!("the workload of LUN {lun} has not reached its start time yet"))
    }

    /// Records that a workload has started.
    pub(crate) fn started(&mut self, lun: Lun) {
        self.waiting = self.waiting.filter(|(waiting, _)| *waiting != lun);
        self.running.insert(lun);
    }

    /// Records that a workload has stopped with this report.
    pub(crate) fn stopped(&mut self, lun: Lun, report: WorkloadReport) {
        self.running.remove(&lun);
        self.report = Some(match self.report.take() {
            None => report,
            Some(before) => together(before, report),
        });
    }

    /// The reports of the workloads that have stopped, added up; `None` if none has.
    pub(crate) fn report(&self) -> Option<&WorkloadReport> {
        self.report.as_ref()
    }
}

/// Two reports as one. The median and the 99th percentile cannot be known from those of the parts;
/// they are at most the greater of the two.
fn together(mut all: WorkloadReport, other: WorkloadReport) -> WorkloadReport {
    all.reads += other.reads;
    all.writes += other.writes;
    all.errors += other.errors;
    all.stuck += other.stuck;
    all.unchecked += other.unchecked;
    all.corrupt.stale += other.corrupt.stale;
    all.corrupt.torn += other.corrupt.torn;
    all.corrupt.misplaced += other.corrupt.misplaced;
    all.corrupt.lost += other.corrupt.lost;
    all.corrupt.garbled += other.corrupt.garbled;
    all.longest_stall_ns = all.longest_stall_ns.max(other.longest_stall_ns);
    all.latency.p50_ns = all.latency.p50_ns.max(other.latency.p50_ns);
    all.latency.p99_ns = all.latency.p99_ns.max(other.latency.p99_ns);
    all.latency.max_ns = all.latency.max_ns.max(other.latency.max_ns);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lun_has_one_workload_at_a_time() {
        let mut workloads = Workloads::new(Some((Lun(0), Time::ZERO)));
        assert!(workloads.refusal(Lun(0)).unwrap().contains("start time"));
        assert_eq!(workloads.refusal(Lun(1)), None);
        workloads.started(Lun(1));
        assert_eq!(workloads.starts(), Some(Time::ZERO));
        workloads.started(Lun(0));
        assert_eq!(workloads.starts(), None);
        assert!(workloads.refusal(Lun(1)).unwrap().contains("already"));
        assert_eq!(workloads.first_running(), Some(Lun(0)));
        let report = |reads| WorkloadReport { reads, ..WorkloadReport::default() };
        workloads.stopped(Lun(1), report(3));
        assert_eq!(workloads.refusal(Lun(1)), None);
        workloads.stopped(Lun(0), report(4));
        assert_eq!(workloads.report().unwrap().reads, 7);
        assert_eq!(workloads.first_running(), None);
        let mut workloads = Workloads::new(Some((Lun(0), Time::ZERO)));
        workloads.refused("there is no map lun0");
        assert_eq!(workloads.starts(), None);
        assert_eq!(workloads.refusal_at_start(), Some("there is no map lun0"));
    }
}
