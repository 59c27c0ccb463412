//! The delay of a command: fixed or random.

use sansim_array::Delay;
use toml::de::DeValue;

use super::TimeSpan;
use crate::form::{Form, Given, Plain, Problems, Text, Value, table};

/// A delay in a scenario: `"10ms"`, or a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DelayTime(pub(crate) Delay);

table! {
    /// A uniform distribution between two times.
    struct Between, "a table such as { from = \"1ms\", to = \"20ms\" }" {
        /// The minimum delay.
        from: Text<TimeSpan>,
        /// The maximum delay.
        to: Text<TimeSpan>,
    }
}

table! {
    /// An exponential distribution, truncated at ten times its mean.
    struct Exponential, "a table such as { mean = \"5ms\" }" {
        /// The mean delay.
        mean: Text<TimeSpan>,
    }
}

impl DelayTime {
    const EXPECTED: &'static str =
        "a time such as \"10ms\", { from = \"1ms\", to = \"20ms\" } or { mean = \"5ms\" }";

    /// Whether the maximum is less than the minimum.
    pub(crate) fn is_backwards(self) -> bool {
        matches!(self.0, Delay::Between(from, to) if to < from)
    }
}

impl Value for DelayTime {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let delay = match given.get_ref() {
            DeValue::String(_) => Delay::Fixed(Text::<TimeSpan>::read(given, problems)?.0.0),
            DeValue::Table(table) if table.contains_key("mean") => {
                Delay::Exponential(Exponential::read(given, problems)?.mean.0.0)
            }
            DeValue::Table(_) => {
                let Between { from, to } = Between::read(given, problems)?;
                Delay::Between(from.0.0, to.0.0)
            }
            _ => {
                problems.wrong_type(given, Self::EXPECTED);
                return None;
            }
        };
        Some(DelayTime(delay))
    }

    fn write(&self) -> Plain {
        let time = |time| Text(TimeSpan(time));
        match self.0 {
            Delay::Fixed(delay) => time(delay).write(),
            Delay::Between(from, to) => Between { from: time(from), to: time(to) }.write(),
            Delay::Exponential(mean) => Exponential { mean: time(mean) }.write(),
        }
    }

    fn form() -> Form {
        let forms = vec![Text::<TimeSpan>::form(), Between::form(), Exponential::form()];
        Form::Either(forms)
    }
}
