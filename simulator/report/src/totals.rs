//! The total cost of many runs.

use serde::Serialize;

use crate::{
    timings::{CpuSummary, Timings},
    verdict::Summary,
};

/// The total cost of a suite's runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Number of runs with a verdict.
    pub runs: usize,
    /// Seconds of the host's time that the suite took.
    pub wall_s: f64,
    /// Sum of all stories' scenario time, in seconds.
    pub simulated_s: f64,
    /// The sums of each part over all runs; more than `wall_s` if several runs were in progress at once.
    pub timings: Timings,
    /// CPU seconds of all QEMUs, and of sansim itself.
    pub cpu_s: CpuSummary,
}

impl Totals {
    /// Adds up runs; the suite took `wall_s` seconds of the host's time and `own_cpu_s` seconds of sansim's
    /// own CPU time.
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

    /// Runs per minute of the host's time.
    pub fn runs_a_minute(&self) -> f64 {
        self.runs as f64 / self.wall_s * 60.0
    }

    /// CPU seconds per run, of QEMU and sansim together.
    pub fn cpu_s_a_run(&self) -> f64 {
        let CpuSummary { qemu, sansim } = self.cpu_s;
        (qemu.unwrap_or_default() + sansim.unwrap_or_default()) / self.runs as f64
    }

    /// Seconds of scenario time per second of the host's time.
    pub fn speed(&self) -> f64 {
        self.simulated_s / self.wall_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
