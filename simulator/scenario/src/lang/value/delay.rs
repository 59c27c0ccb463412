//! How long a command is kept back: just so long, or left to chance.

use std::time::Duration;

use sansim_array::Delay;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Text, TimeSpan};

/// A delay as it stands in a scenario: `"10ms"`, or a table.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a time such as \"10ms\", { from = \"1ms\", to = \"20ms\" } or { mean = \"5ms\" }"
)]
pub enum DelayTime {
    /// Just so long.
    Fixed(Text<TimeSpan>),
    /// Anything between two times, all the same likely.
    Between(Range),
    /// Exponentially distributed, and at most ten times the mean.
    Exponential(Mean),
}

/// Two times.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The shortest.
    from: Text<TimeSpan>,
    /// The longest.
    to: Text<TimeSpan>,
}

/// A distribution.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    /// The mean.
    mean: Text<TimeSpan>,
}

impl DelayTime {
    /// Whether its end is before its beginning.
    pub fn is_backwards(&self) -> bool {
        matches!(self, DelayTime::Between(range) if range.to.0.0 < range.from.0.0)
    }
}

impl From<DelayTime> for Delay {
    fn from(delay: DelayTime) -> Self {
        match delay {
            DelayTime::Fixed(time) => Delay::Fixed(time.0.0),
            DelayTime::Between(range) => Delay::Between(range.from.0.0, range.to.0.0),
            DelayTime::Exponential(mean) => Delay::Exponential(mean.mean.0.0),
        }
    }
}

impl From<Delay> for DelayTime {
    fn from(delay: Delay) -> Self {
        let time = |time: Duration| Text(TimeSpan(time));
        match delay {
            Delay::Fixed(delay) => DelayTime::Fixed(time(delay)),
            Delay::Between(from, to) => {
                DelayTime::Between(Range { from: time(from), to: time(to) })
            }
            Delay::Exponential(mean) => DelayTime::Exponential(Mean { mean: time(mean) }),
        }
    }
}
