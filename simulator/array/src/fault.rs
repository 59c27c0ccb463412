//! What goes wrong, and when.

mod engine;
mod index;
mod matcher;
mod rule;

pub(crate) use engine::{Caught, Faults, Subject};
pub use matcher::{OpMatcher, ParseOpError, ParseTmfError, TmfMatcher};
pub use rule::{
    Answer, Chance, Corruption, Delay, FaultRule, Lose, Matches, RuleError, Then, When,
};
