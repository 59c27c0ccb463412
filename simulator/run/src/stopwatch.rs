//! Measures the host's time for each part of a run.

use std::time::{Duration, Instant};

use sansim_report::timings::Timings;
use sansim_stage::Preparing;

/// The parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Until the guest is up, restored or booted.
    Restore,
    /// Loading the scenario's modules and setting their parameters.
    Modules,
    /// Scanning the targets and waiting for the disks.
    Discovery,
    /// Building the multipath maps.
    Maps,
    /// The story, including the stop of the workload.
    Story,
    /// From the story's end until the machine and its HBAs are gone.
    Teardown,
}

impl Part {
    /// What is being done in this part, if that is news: the lab reports the first in more detail, and the
    /// last is over at once.
    pub fn in_words(self) -> Option<&'static str> {
        match self {
            Part::Modules => Some("loading modules"),
            Part::Discovery => Some("discovery"),
            Part::Maps => Some("building maps"),
            Part::Story => Some("the story"),
            Part::Restore | Part::Teardown => None,
        }
    }

    /// The part that a preparation belongs to.
    pub(super) fn of(preparing: Preparing) -> Self {
        match preparing {
            Preparing::Modules => Part::Modules,
            Preparing::Discovery => Part::Discovery,
            Preparing::Maps { .. } => Part::Maps,
        }
    }
}

#[derive(Debug)]
pub(super) struct Stopwatch {
    part: Part,
    since: Instant,
    taken: Timings,
}

impl Stopwatch {
    /// Starts the first part at `now`.
    pub(super) fn start(now: Instant) -> Self {
        Stopwatch { part: Part::Restore, since: now, taken: Timings::default() }
    }

    /// Ends the current part and starts another at `now`.
    pub(super) fn enter(&mut self, part: Part, now: Instant) {
        let lasted: Duration = now.saturating_duration_since(self.since);
        *place(&mut self.taken, self.part) += lasted.as_secs_f64();
        (self.part, self.since) = (part, now);
    }

    /// The time of each part up to `now`.
    pub(super) fn read(&mut self, now: Instant) -> Timings {
        self.enter(self.part, now);
        self.taken
    }
}

fn place(timings: &mut Timings, part: Part) -> &mut f64 {
    match part {
        Part::Restore => &mut timings.restore_s,
        Part::Modules => &mut timings.modules_s,
        Part::Discovery => &mut timings.discovery_s,
        Part::Maps => &mut timings.maps_s,
        Part::Story => &mut timings.story_s,
        Part::Teardown => &mut timings.teardown_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_gets_its_time() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut watch = Stopwatch::start(began);
        watch.enter(Part::Modules, at(250));
        // A part may be skipped, and the time may be read in the middle of a part.
        watch.enter(Part::Maps, at(500));
        assert_eq!(watch.read(at(1500)).maps_s, 1.0);
        watch.enter(Part::Story, at(2500));
        let taken = watch.read(at(4500));
        let expected =
            Timings { restore_s: 0.25, modules_s: 0.25, maps_s: 2.0, story_s: 2.0, ..taken };
        assert_eq!(taken, expected);
        assert_eq!((taken.discovery_s, taken.total_s()), (0.0, 4.5));
    }
}
