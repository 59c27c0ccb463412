//! Fault rules: what goes wrong, and when. Also the actions that steps and fault rules apply to the
//! array.

mod action;
mod engine;
mod index;
mod matcher;
mod rule;
mod then;

pub use self::action::{Action, ActionError, ArrayState, Phase, VolumeChange};
pub use self::engine::RuleView;
pub(crate) use self::engine::{Caught, Faults, Subject};
pub use self::matcher::{OpMatcher, ParseOpError, ParseTmfError, TmfMatcher};
pub use self::rule::{Chance, CommandFilter, Effect, FaultRule, Matches, When};
pub use self::then::{
    Answer, DataFault, Delay, Fate, FunctionFate, FunctionThen, Lose, Then, Wait,
};
