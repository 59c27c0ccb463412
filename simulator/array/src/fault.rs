//! What goes wrong, and when.

mod action;
mod engine;
mod index;
mod matcher;
mod rule;
mod then;

pub use action::{Action, ActionError, Phase};
pub(crate) use engine::{Caught, Faults, Subject};
pub use matcher::{OpMatcher, ParseOpError, ParseTmfError, TmfMatcher};
pub use rule::{Chance, CommandFilter, Effect, FaultRule, Matches, When};
pub use then::{Answer, DataFault, Delay, Fate, FunctionFate, FunctionThen, Lose, Then, Wait};
