//! What goes wrong, and when.

mod engine;
mod index;
mod matcher;
mod rule;

pub(crate) use engine::{Faults, Subject};
pub use matcher::{OpMatcher, ParseOpError};
pub use rule::{Answer, FaultRule, Lose, Matches, RuleError, Then, When};
