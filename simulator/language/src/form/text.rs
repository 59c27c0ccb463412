//! Values that are written as one string.

use std::{fmt, str::FromStr};

use toml::de::DeValue;

use super::{Form, Given, Plain, Problems, Value};
use crate::{Diagnostic, value::At};

/// A kind of value that is read from and printed as a string.
pub(crate) trait Kind: FromStr<Err: fmt::Display> + fmt::Display {
    /// Its name in the JSON Schema.
    const NAME: &'static str;
    /// What is accepted, as it follows "expected".
    const EXPECTED: &'static str;
    /// A regular expression of what is accepted, for the JSON Schema.
    const PATTERN: &'static str;
}

/// A value of some kind as it stands in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

/// A value that is written as a string and knows where it stands.
pub(crate) type Name<T> = At<Text<T>>;

/// A value that stands nowhere.
pub(crate) fn name<T>(value: T) -> Name<T> {
    At::nowhere(Text(value))
}

impl<T: Kind> Value for Text<T> {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::String(text) = given.get_ref() else {
            problems.wrong_type(given, T::EXPECTED);
            return None;
        };
        match text.parse() {
            Ok(value) => Some(Text(value)),
            Err(why) => {
                problems.report(&given.span(), Diagnostic::error(why.to_string()));
                None
            }
        }
    }

    fn write(&self) -> Plain {
        Plain::Text(self.0.to_string())
    }

    fn form() -> Form {
        Form::Pattern { name: T::NAME, expected: T::EXPECTED, pattern: T::PATTERN.to_owned() }
    }
}
