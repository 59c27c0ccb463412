//! The schedule of a story's steps.

use std::time::Duration;

use sansim_language::{Step, Trigger};
use sansim_stage::{Awaited, Seen, World};
use sansim_time::Time;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Waiting for its trigger.
    Waiting,
    /// To be started at this time.
    Due(Time),
    /// Started, but not finished.
    Running,
    /// Finished, successfully or not.
    Done,
}

/// Why a step is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// Its event has not come.
    Waiting,
    /// Its time has not come.
    Due,
    /// It has been started.
    Running,
}

/// The steps of a story with the state of each.
pub struct Script {
    steps: Vec<Step>,
    progress: Vec<Progress>,
}

impl Script {
    /// The script of these steps. `start` is the beginning of the story.
    pub fn new(steps: Vec<Step>, start: Time) -> Self {
        let first = |step: &Step| match step.trigger {
            Trigger::At(at) => Progress::Due(start + at),
            Trigger::On { .. } => Progress::Waiting,
        };
        Script { progress: steps.iter().map(first).collect(), steps }
    }

    /// Makes steps due whose trigger is this event.
    pub fn see(&mut self, seen: &Seen<'_>, now: Time, world: &World) {
        for (step, progress) in self.steps.iter().zip(&mut self.progress) {
            if let (Trigger::On { event, after }, Progress::Waiting) = (&step.trigger, *progress)
                && event.has_come(seen, world)
            {
                *progress = Progress::Due(now + *after);
            }
        }
    }

    /// The next step that is due at `now`; marks it as running.
    pub fn next_due(&mut self, now: Time) -> Option<usize> {
        let due = |progress: &Progress| matches!(progress, Progress::Due(at) if *at <= now);
        let first = (0..self.steps.len()).filter(|&index| due(&self.progress[index])).min_by_key(
            |&index| match self.progress[index] {
                Progress::Due(at) => at,
                _ => Time::ZERO,
            },
        )?;
        self.progress[first] = Progress::Running;
        Some(first)
    }

    /// Makes everything that has a time later by this much.
    pub fn shift(&mut self, by: Duration) {
        for progress in &mut self.progress {
            if let Progress::Due(at) = progress {
                *at = *at + by;
            }
        }
    }

    /// When the next step is due; `None` if all wait for triggers.
    pub fn next_time(&self) -> Option<Time> {
        let due = self.progress.iter().filter_map(|progress| match progress {
            Progress::Due(at) => Some(*at),
            _ => None,
        });
        due.min()
    }

    /// The index of the step with this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    /// Marks a step as finished.
    pub fn done(&mut self, index: usize) {
        self.progress[index] = Progress::Done;
    }

    /// The steps that are not finished, each with the reason.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = (&Step, Unfinished)> {
        let steps = self.steps.iter().zip(&self.progress);
        steps.filter_map(|(step, progress)| {
            let why = match progress {
                Progress::Waiting => Unfinished::Waiting,
                Progress::Due(_) => Unfinished::Due,
                Progress::Running => Unfinished::Running,
                Progress::Done => return None,
            };
            Some((step, why))
        })
    }

    /// Whether no step is running or scheduled.
    pub(super) fn at_rest(&self) -> bool {
        self.progress.iter().all(|p| matches!(p, Progress::Waiting | Progress::Done))
    }
}
