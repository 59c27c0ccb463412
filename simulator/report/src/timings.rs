//! Where the time of runs goes.

use std::{iter::Sum, ops::Add};

use serde::Serialize;

use crate::verdict::Summary;

/// Seconds of the host's time that each part of a run took; 0 for those that were not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Until the guest is there, be it restored or booted.
    pub restore_s: f64,
    /// Loading the scenario's modules and setting their parameters.
    pub modules_s: f64,
    /// Scanning the targets and waiting for the disks.
    pub discovery_s: f64,
    /// Building the multipath maps.
    pub maps_s: f64,
    /// The story, with stopping the workload at its end.
    pub story_s: f64,
    /// From the story's end until the machine and its HBAs are gone.
    pub teardown_s: f64,
}

impl Timings {
    /// Every part with its name, in order.
    pub fn parts(&self) -> [(&'static str, f64); 6] {
        [
            ("restore", self.restore_s),
            ("modules", self.modules_s),
            ("discovery", self.discovery_s),
            ("maps", self.maps_s),
            ("story", self.story_s),
            ("teardown", self.teardown_s),
        ]
    }

    /// All parts together.
    pub fn total_s(&self) -> f64 {
        self.parts().iter().map(|(_, seconds)| seconds).sum()
    }
}

impl Add for Timings {
    type Output = Timings;

    fn add(self, other: Timings) -> Timings {
        Timings {
            restore_s: self.restore_s + other.restore_s,
            modules_s: self.modules_s + other.modules_s,
            discovery_s: self.discovery_s + other.discovery_s,
            maps_s: self.maps_s + other.maps_s,
            story_s: self.story_s + other.story_s,
            teardown_s: self.teardown_s + other.teardown_s,
        }
    }
}

impl Sum for Timings {
    fn sum<I: Iterator<Item = Timings>>(all: I) -> Timings {
        all.fold(Timings::default(), Add::add)
    }
}

/// CPU seconds, of users' and the kernel's code together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CpuSummary {
    /// The run's QEMU, up to the end of the story; null where it could not be read.
    pub qemu: Option<f64>,
    /// This process, during the run. Null when other runs went on at the same time: what a process
    /// spends cannot be told apart by run.
    pub sansim: Option<f64>,
}

/// What all runs of a suite took together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    /// How many runs have a verdict.
    pub runs: usize,
    /// Seconds of the host's time that the suite took.
    pub wall_s: f64,
    /// Seconds of scenario time of all stories.
    pub simulated_s: f64,
    /// The parts of all runs, added up; more than `wall_s` when several runs went on at once.
    pub timings: Timings,
    /// CPU seconds of all machines, and of this process.
    pub cpu_s: CpuSummary,
}

impl Totals {
    /// Adds up runs; the suite took `wall_s` seconds of the host's time and `own_cpu_s` of this
    /// process's CPU time.
    pub fn of(summaries: &[Summary], wall_s: f64, own_cpu_s: f64) -> Self {
        let qemu = summaries.iter().filter_map(|summary| summary.cpu_s.qemu).sum();
        Totals {
            runs: summaries.len(),
            wall_s,
            simulated_s: summaries.iter().map(|summary| summary.simulated_s).sum(),
            timings: summaries.iter().map(|summary| summary.timings).sum(),
            cpu_s: CpuSummary { qemu: Some(qemu), sansim: Some(own_cpu_s) },
        }
    }

    /// Runs that end in a minute of the host's time.
    pub fn runs_a_minute(&self) -> f64 {
        self.runs as f64 / self.wall_s * 60.0
    }

    /// CPU seconds of a run, QEMU's and this process's together.
    pub fn cpu_s_a_run(&self) -> f64 {
        let CpuSummary { qemu, sansim } = self.cpu_s;
        (qemu.unwrap_or_default() + sansim.unwrap_or_default()) / self.runs as f64
    }

    /// Seconds of scenario time that pass in one of the host's.
    pub fn speed(&self) -> f64 {
        self.simulated_s / self.wall_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_add_up_part_by_part() {
        let one = Timings { restore_s: 1.0, story_s: 2.0, ..Timings::default() };
        let sum: Timings = [one, one, Timings { maps_s: 0.5, ..one }].into_iter().sum();
        assert_eq!(sum, Timings { restore_s: 3.0, story_s: 6.0, maps_s: 0.5, ..sum });
        assert_eq!(sum.total_s(), 9.5);
    }

    #[test]
    fn totals_are_by_run_and_by_the_time_of_the_suite() {
        let cpu_s = CpuSummary { qemu: Some(20.0), sansim: Some(10.0) };
        let (timings, simulated_s) = (Timings::default(), 90.0);
        let totals = Totals { runs: 15, wall_s: 30.0, simulated_s, timings, cpu_s };
        assert_eq!(
            (totals.runs_a_minute(), totals.cpu_s_a_run(), totals.speed()),
            (30.0, 2.0, 3.0)
        );
    }
}
