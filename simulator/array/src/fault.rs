//! What goes wrong, and when.

mod engine;
mod index;
mod matcher;
mod rule;
mod then;

pub(crate) use engine::{Caught, Faults, Subject};
pub use matcher::{OpMatcher, ParseOpError, ParseTmfError, TmfMatcher};
pub use rule::{Chance, CommandFilter, Effect, FaultRule, Matches, RuleError, When};
pub use then::{
    Answer, Corruption, DataFault, Delay, Fate, FunctionFate, FunctionThen, Lose, Then, Wait,
};
