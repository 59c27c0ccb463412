//! Clocks and timers: the ground floor, which imports nothing of the house.
//!
//! Whatever waits, waits on a [`Clock`], and does not know whether its time is the host's ([`RealClock`])
//! or the guest's ([`SkipClock`]). The array does not even have a clock: its caller passes the [`Time`] in,
//! so that the same calls at the same times return the same bytes.

#![forbid(unsafe_code)]

mod clock;
mod pacer;
mod queue;
mod real;
mod skip;
mod time;

pub use clock::Clock;
pub use pacer::Pacer;
pub use queue::TimerQueue;
pub use real::RealClock;
pub use skip::SkipClock;
pub use time::Time;
