//! Statistics and events of a workload: totals, latencies, stalls.

use hdrhistogram::Histogram;
use sansim_protocol::{Happening, IoDirection, Latency, WorkloadReport};

use super::ledger::Finding;

/// Errors and corruptions that are reported individually; further ones are only counted.
const REPORTED: u64 = 64;

/// Interval of progress events, in nanoseconds.
const PROGRESS_NS: u64 = 1_000_000_000;

/// The counters of one workload. The caller passes in the time, and collects the events with
/// [`Meter::take_events`].
pub(crate) struct Meter {
    map: String,
    stall_ns: u64,
    report: WorkloadReport,
    latency: Histogram<u32>,
    /// When the last completion came or the queue became non-empty, in nanoseconds. Meaningless while
    /// nothing is in flight.
    quiet_since: u64,
    in_flight: u64,
    stalled: bool,
    next_progress: u64,
    /// The longest latency since the last progress event, in nanoseconds.
    slowest_ns: u64,
    events: Vec<Happening>,
}

impl Meter {
    /// Creates the counters for `map`. `stall_ms` without a completion is a stall (0: never).
    pub(crate) fn new(map: String, stall_ms: u64, now_ns: u64) -> Meter {
        Meter {
            map,
            stall_ns: if stall_ms == 0 { u64::MAX } else { stall_ms.saturating_mul(1_000_000) },
            report: WorkloadReport::default(),
            // From 1 µs to 10 hours, with three significant digits. Values outside are clamped.
            latency: Histogram::new_with_bounds(1_000, 36_000_000_000_000, 3)
                .expect("the bounds are in order"),
            quiet_since: now_ns,
            in_flight: 0,
            stalled: false,
            next_progress: now_ns + PROGRESS_NS,
            slowest_ns: 0,
            events: Vec::new(),
        }
    }

    /// Counts a submitted request.
    pub(crate) fn submitted(&mut self, now_ns: u64) {
        if self.in_flight == 0 {
            self.quiet_since = now_ns;
        }
        self.in_flight += 1;
    }

    /// Counts a completed request. `since_ns`: its submission; the error is an errno.
    pub(crate) fn completed(
        &mut self,
        now_ns: u64,
        since_ns: u64,
        direction: IoDirection,
        offset: u64,
        outcome: Result<(), i32>,
    ) {
        self.end_gap(now_ns);
        self.in_flight -= 1;
        self.quiet_since = now_ns;
        let latency = now_ns.saturating_sub(since_ns);
        self.latency.saturating_record(latency);
        self.slowest_ns = self.slowest_ns.max(latency);
        match (outcome, direction) {
            (Ok(()), IoDirection::Read) => self.report.reads += 1,
            (Ok(()), IoDirection::Write) => self.report.writes += 1,
            (Err(errno), direction) => {
                self.report.errors += 1;
                if self.report.errors <= REPORTED {
                    let map = self.map.clone();
                    self.events.push(Happening::IoError { map, direction, offset, errno });
                }
            }
        }
    }

    fn end_gap(&mut self, now_ns: u64) {
        let gap = now_ns.saturating_sub(self.quiet_since);
        self.report.longest_stall_ns = self.report.longest_stall_ns.max(gap);
        self.notice_stall(now_ns);
        if std::mem::take(&mut self.stalled) {
            self.events.push(Happening::StallEnd { map: self.map.clone(), lasted_ns: gap });
        }
    }

    /// Counts a corruption, and reports it unless there were too many.
    pub(crate) fn found(&mut self, offset: u64, finding: Finding) {
        let corrupt = &mut self.report.corrupt;
        corrupt.count(finding.kind);
        if corrupt.total() <= REPORTED {
            self.events.push(Happening::Corrupt {
                map: self.map.clone(),
                kind: finding.kind,
                offset,
                detail: finding.detail,
            });
        }
    }

    fn notice_stall(&mut self, now_ns: u64) {
        let gap = now_ns.saturating_sub(self.quiet_since);
        if self.in_flight > 0 && !self.stalled && gap >= self.stall_ns {
            self.stalled = true;
            let (map, since_ns) = (self.map.clone(), self.quiet_since);
            self.events.push(Happening::StallBegin { map, since_ns });
        }
    }

    /// Detects stalls, and reports progress when it is due. Returns when to call again at the latest.
    pub(crate) fn tick(&mut self, now_ns: u64) -> u64 {
        self.notice_stall(now_ns);
        if now_ns >= self.next_progress {
            self.next_progress = now_ns + PROGRESS_NS;
            self.events.push(Happening::Progress {
                map: self.map.clone(),
                reads: self.report.reads,
                writes: self.report.writes,
                errors: self.report.errors,
                slowest_ns: std::mem::take(&mut self.slowest_ns),
            });
        }
        if self.in_flight > 0 && !self.stalled {
            self.next_progress.min(self.quiet_since.saturating_add(self.stall_ns))
        } else {
            self.next_progress
        }
    }

    /// Takes the events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.events)
    }

    /// The final report. Requests still in flight count as stuck, and their stall lasts until now.
    pub(crate) fn report(&mut self, now_ns: u64, unchecked: u64) -> WorkloadReport {
        let mut report = self.report.clone();
        report.stuck = self.in_flight;
        report.unchecked = unchecked;
        if self.in_flight > 0 {
            let gap = now_ns.saturating_sub(self.quiet_since);
            report.longest_stall_ns = report.longest_stall_ns.max(gap);
        }
        report.latency = Latency {
            p50_ns: self.latency.value_at_quantile(0.5),
            p99_ns: self.latency.value_at_quantile(0.99),
            max_ns: self.latency.max(),
        };
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn meter() -> Meter {
        Meter::new("m".into(), 100, 0)
    }

    #[test]
    fn a_stall_is_a_gap_between_completions_while_io_is_in_flight() {
        let mut meter = meter();
        meter.submitted(10 * MS);
        meter.submitted(10 * MS);
        meter.completed(20 * MS, 10 * MS, IoDirection::Read, 0, Ok(()));
        assert_eq!(meter.tick(119 * MS), 120 * MS);
        assert_eq!(meter.take_events(), []);
        meter.tick(120 * MS);
        meter.tick(300 * MS);
        assert_eq!(
            meter.take_events(),
            [Happening::StallBegin { map: "m".into(), since_ns: 20 * MS }]
        );
        meter.completed(520 * MS, 10 * MS, IoDirection::Write, 0, Err(5));
        assert_eq!(
            meter.take_events(),
            [
                Happening::StallEnd { map: "m".into(), lasted_ns: 500 * MS },
                Happening::IoError {
                    map: "m".into(),
                    direction: IoDirection::Write,
                    offset: 0,
                    errno: 5
                },
            ]
        );
        assert_eq!(meter.report(600 * MS, 0).longest_stall_ns, 500 * MS);
    }

    #[test]
    fn a_stall_that_ended_before_anyone_looked_is_told_whole() {
        let mut meter = meter();
        meter.submitted(0);
        meter.completed(150 * MS, 0, IoDirection::Read, 0, Ok(()));
        assert_eq!(
            meter.take_events(),
            [
                Happening::StallBegin { map: "m".into(), since_ns: 0 },
                Happening::StallEnd { map: "m".into(), lasted_ns: 150 * MS },
            ]
        );
    }

    #[test]
    fn an_idle_map_does_not_stall() {
        let mut meter = meter();
        meter.submitted(0);
        meter.completed(MS, 0, IoDirection::Read, 0, Ok(()));
        meter.submitted(900 * MS);
        meter.completed(901 * MS, 900 * MS, IoDirection::Read, 0, Ok(()));
        let report = meter.report(999 * MS, 0);
        assert_eq!((report.longest_stall_ns, report.reads, report.stuck), (MS, 2, 0));
        assert_eq!(meter.take_events(), []);
    }

    #[test]
    fn what_never_completes_is_stuck_and_a_stall() {
        let mut meter = meter();
        meter.submitted(0);
        let report = meter.report(7_000 * MS, 3);
        assert_eq!((report.stuck, report.unchecked), (1, 3));
        assert_eq!(report.longest_stall_ns, 7_000 * MS);
    }

    #[test]
    fn errors_are_all_counted_and_some_reported() {
        let mut meter = meter();
        for _ in 0..100 {
            meter.submitted(0);
            meter.completed(0, 0, IoDirection::Read, 0, Err(5));
        }
        assert_eq!(meter.take_events().len(), 64);
        assert_eq!(meter.report(0, 0).errors, 100);
    }

    #[test]
    fn latencies_are_those_of_the_requests() {
        let mut meter = meter();
        for latency in 1..=100 {
            meter.submitted(0);
            meter.completed(latency * MS, 0, IoDirection::Read, 0, Ok(()));
            meter.take_events();
        }
        let latency = meter.report(0, 0).latency;
        let near = |value: u64, ms: u64| value.abs_diff(ms * MS) <= ms * MS / 500;
        assert!(near(latency.p50_ns, 50) && near(latency.p99_ns, 99), "{latency:?}");
        assert!(near(latency.max_ns, 100), "{latency:?}");
    }
}
