//! The clock of a run: the host's, or the guest's own.

use std::sync::Arc;

use sansim_lab::{Device, Keeper, TimeMode};
use sansim_time::{Clock, RealClock, SkipClock, Time};

use crate::event::StoryTime;

/// By which clock a run goes.
#[derive(Clone)]
pub enum Pace {
    /// The host's: HBAs serve at once.
    Real(Arc<RealClock>),
    /// The guest's: HBAs serve when it stands still.
    Skip(Arc<SkipClock>),
}

impl Pace {
    /// A clock for a new run.
    pub fn new(mode: TimeMode) -> Pace {
        match mode {
            TimeMode::Real => Pace::Real(RealClock::start()),
            TimeMode::Skip => Pace::Skip(Arc::default()),
        }
    }

    /// The clock, for all who need not know which it is.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Pace::Real(clock) => Arc::clone(clock) as Arc<dyn Clock>,
            Pace::Skip(clock) => Arc::clone(clock) as Arc<dyn Clock>,
        }
    }

    /// The story time of a run whose guest says that it is `guest_now_ns` now.
    pub fn story_time(&self, guest_now_ns: u64) -> StoryTime {
        let now = match self {
            Pace::Real(clock) => clock.now(),
            Pace::Skip(_) => Time::from_nanos(guest_now_ns),
        };
        StoryTime::new(now, guest_now_ns, now)
    }

    /// Has a guest's keeper go by this clock, and these devices serve when the guest stands still.
    pub fn rule(&self, keeper: Keeper, devices: Vec<Arc<dyn Device>>) -> Keeper {
        match self {
            Pace::Real(_) => keeper,
            Pace::Skip(clock) => keeper.with(Arc::clone(clock), devices),
        }
    }
}
