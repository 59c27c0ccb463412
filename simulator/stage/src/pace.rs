//! The clock of a run: the host's, or the guest's own.

use std::sync::Arc;

use sansim_lab::{Device, Keeper, TimeMode};
use sansim_time::{Clock, RealClock, SkipClock, Time};

use crate::event::StoryTime;

/// The clock that drives a run.
#[derive(Clone)]
pub enum Pace {
    /// The host's clock. HBAs serve requests at once.
    Real(Arc<RealClock>),
    /// The guest's clock. HBAs serve requests while the guest is stopped.
    Skip(Arc<SkipClock>),
}

impl Pace {
    /// Creates the clock for a new run.
    pub fn new(mode: TimeMode) -> Pace {
        match mode {
            TimeMode::Real => Pace::Real(RealClock::start()),
            TimeMode::Skip => Pace::Skip(Arc::default()),
        }
    }

    /// The clock as a trait object.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Pace::Real(clock) => Arc::clone(clock) as Arc<dyn Clock>,
            Pace::Skip(clock) => Arc::clone(clock) as Arc<dyn Clock>,
        }
    }

    /// The story time of a run, given the current time of the guest's clock.
    pub fn story_time(&self, guest_now_ns: u64) -> StoryTime {
        let now = match self {
            Pace::Real(clock) => clock.now(),
            Pace::Skip(_) => Time::from_nanos(guest_now_ns),
        };
        StoryTime::new(now, guest_now_ns, now)
    }

    /// Connects a guest's keeper with this clock and lets these devices serve requests while the
    /// guest is stopped.
    pub fn rule(&self, keeper: Keeper, devices: Vec<Arc<dyn Device>>) -> Keeper {
        match self {
            Pace::Real(_) => keeper,
            Pace::Skip(clock) => keeper.with(Arc::clone(clock), devices),
        }
    }
}
