//! The host's time that each part of a run takes.

use std::{iter::Sum, ops::Add};

use serde::Serialize;

/// Seconds of the host's time for each part of a run; 0 for parts that were not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Until the guest is up, restored or booted.
    pub restore_s: f64,
    /// Loading the scenario's modules and setting their parameters.
    pub modules_s: f64,
    /// Scanning the targets and waiting for the disks.
    pub discovery_s: f64,
    /// Building the multipath maps.
    pub maps_s: f64,
    /// The story, including the stop of the workload.
    pub story_s: f64,
    /// From the story's end until the machine and its HBAs are gone.
    pub teardown_s: f64,
}

impl Timings {
    /// Name and seconds of each part, in order.
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

    /// The sum of all parts, in seconds.
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

/// CPU seconds, user and system time together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CpuSummary {
    /// QEMU, up to the end of the story; null if it could not be read.
    pub qemu: Option<f64>,
    /// sansim itself, during the run. Null if other runs were in progress at the same time: the CPU time of a
    /// process cannot be split between runs.
    pub sansim: Option<f64>,
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
}
