//! Chance as the driver: sansim finds the story by itself, and makes it short.
//!
//! A [`Schedule`] is a story as a value. A plan is what it says about a scenario; from a plan comes a scenario
//! as anybody could have written it, which is told by `sansim-run` like any other. The laws are judged by what
//! happened. A schedule that breaks one is made short, and becomes a scenario file with the law as its
//! expectation. docs/exploring.md says what the laws are, and why.
//!
//! Schedules, plans, laws, the minimiser and the memory know no guest, and are tested without one. The crate
//! may import single runs, the language and reports.

#![forbid(unsafe_code)]

mod answer;
mod behaviour;
mod bench;
mod cause;
mod dead;
mod finding;
mod growth;
mod guide;
mod judge;
mod memory;
mod menu;
mod minimise;
mod mutate;
mod page;
mod plan;
mod progress;
mod render;
mod schedule;
mod search;

pub use bench::{Bench, Jobs, On};
pub use guide::{Blocks, Guidance};
pub use judge::Breach;
pub use memory::{Finding, Memory, State};
pub use minimise::Minimiser;
pub use page::write_report;
pub use progress::{PROOFS, Progress};
pub use render::Base;
pub use schedule::{Choice, Schedule, Sort};
pub use search::{Listener, Options, Result, explore};

/// Why an exploration ends before its time.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The user has interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// The memory cannot be used.
    #[error("{0}")]
    Memory(String),
    /// Files cannot be written.
    #[error("{0}; what was found until then is kept")]
    Disk(String),
    /// The lab failed.
    #[error("{0}")]
    Lab(String),
    /// A scenario breaks a law although nothing is done to it.
    #[error(
        "{file} breaks the law `{law}` by itself: {seen} (mend it, or switch the law off: [explore] laws_off = [{law:?}])"
    )]
    BreaksByItself {
        /// The scenario's file.
        file: String,
        /// The law's word.
        law: String,
        /// What was seen.
        seen: String,
    },
    /// A scenario cannot be explored.
    #[error("{file} cannot be explored: {why}")]
    Unfit {
        /// The scenario's file.
        file: String,
        /// Why not.
        why: String,
    },
    /// A panic: a bug in sansim.
    #[error("an exploration failed by a mistake in sansim: {0}")]
    Panicked(String),
}
