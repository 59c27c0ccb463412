//! The clock of a run: the host's, or the guest's own.

use std::sync::Arc;

use sansim_lab::{Device, Keeper, TimeMode};
use sansim_time::RealClock;
use sansim_time::{Clock, SkipClock, Time};

use crate::event::Timeline;

/// By which clock a run goes.
#[derive(Clone)]
pub(super) enum Pace {
    /// The host's: HBAs serve at once.
    Real(Arc<RealClock>),
    /// The guest's: HBAs serve when it stands still.
    Skip(Arc<SkipClock>),
}

impl Pace {
    /// A clock for a new run.
    pub(super) fn new(mode: TimeMode) -> Pace {
        match mode {
            TimeMode::Real => Pace::Real(RealClock::start()),
            TimeMode::Skip => Pace::Skip(Arc::default()),
        }
    }

    /// The clock, for all who need not know which it is.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Pace::Real(clock) => Arc::clone(clock) as Arc<dyn Clock>,
            Pace::Skip(clock) => Arc::clone(clock) as Arc<dyn Clock>,
        }
    }

    /// The timeline of a run whose guest says that it is `guest_now_ns` now.
    pub(super) fn timeline(&self, guest_now_ns: u64) -> Timeline {
        let now = match self {
            Pace::Real(clock) => clock.now(),
            Pace::Skip(_) => Time::from_nanos(guest_now_ns),
        };
        Timeline::new(now, guest_now_ns, now)
    }

    /// Has a guest's keeper go by this clock, and these devices serve when the guest stands still.
    pub(super) fn rule(&self, keeper: Keeper, devices: Vec<Arc<dyn Device>>) -> Keeper {
        match self {
            Pace::Real(_) => keeper,
            Pace::Skip(clock) => keeper.with(Arc::clone(clock), devices),
        }
    }
}
