//! Values in string notation.

use std::{fmt, str::FromStr};

use toml::de::DeValue;

use super::{Form, Given, Plain, Problems, Value};
use crate::{Diagnostic, value::At};

/// A type with a string notation.
pub(crate) trait Kind: FromStr<Err: fmt::Display> + fmt::Display {
    /// The name of the type in the JSON Schema.
    const NAME: &'static str;
    /// A phrase that can follow "expected".
    const EXPECTED: &'static str;
    /// A regular expression for the notation, for the JSON Schema.
    const PATTERN: &'static str;
}

/// A value in string notation in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

/// A value in string notation, with its position.
pub(crate) type Name<T> = At<Text<T>>;

/// A value without a position in the file.
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
