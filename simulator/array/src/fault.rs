//! What goes wrong, and when.

mod matcher;
mod rule;

pub use matcher::{OpMatcher, ParseOpError};
pub use rule::{Answer, FaultRule, Lose, Matches, RuleError, Then, When};
