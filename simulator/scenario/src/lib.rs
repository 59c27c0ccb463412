//! Stories about a SAN: the language they are written in, the runner that plays them to a verdict,
//! and what is written about it.
//!
//! [`lang`] reads a scenario file, [`run`](mod@run) plays it once, [`suite`] plays many, [`expect`]
//! judges, [`verdict`] is what comes of it, [`report`] tells, [`repeat`] compares runs that should be
//! the same, and [`timings`] says where the time went.

#![forbid(unsafe_code)]

pub mod event;
pub mod expect;
pub mod lang;
pub mod outcome;
pub mod repeat;
pub mod report;
pub mod run;
pub mod suite;
pub mod timings;
pub mod verdict;
