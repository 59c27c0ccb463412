//! Clocks and timers. This crate imports no other crate of the workspace.
//!
//! Everything that waits, waits on a [`Clock`], whose time is either the host's ([`RealClock`]) or
//! the guest's ([`SkipClock`]). The array has no clock: its caller passes the [`Time`], so that the
//! same calls at the same times return the same bytes.

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
