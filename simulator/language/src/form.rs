//! The form of a scenario file: tables, their keys and the values of those, each declared once. From the
//! declaration come reading with every mistake noted at its place, writing back, and the description from
//! which the JSON Schema and the reference are made.

mod choice;
mod describe;
mod entries;
mod many;
mod plain;
mod problems;
mod scalar;
mod section;
mod table;
mod text;
mod words;

use toml::{Spanned, de::DeValue};

pub(crate) use choice::{Choice, Found, Word, chosen, several};
pub(crate) use describe::{Form, KeyForm, TableForm, WordForm, joined};
pub(crate) use entries::Entries;
pub(crate) use many::Many;
pub(crate) use plain::{Plain, PlainTable};
pub(crate) use problems::Problems;
pub(crate) use scalar::{Listed, Named};
pub(crate) use section::Section;
pub(crate) use table::{Table, table};
pub(crate) use text::{Kind, Name, Text, name};
pub(crate) use words::words;

/// A value as it stands in a file, with the bytes it stands at.
pub(crate) type Given<'t> = Spanned<DeValue<'t>>;

/// What a value of a key can be.
pub(crate) trait Value: Sized {
    /// Reads it; none if there is a mistake, which has been noted then.
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self>;

    /// Writes it as it would be read again.
    fn write(&self) -> Plain;

    /// What is accepted.
    fn form() -> Form;
}

/// What stands behind a key: a value that must be there, or one that may be.
pub(crate) trait Slot: Sized {
    /// Whether the key must be there.
    const REQUIRED: bool;

    /// Reads what stands there. The outer option is none if there is a mistake, the inner one if the key
    /// may not be left away.
    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>>;

    /// Writes it; none if the key is left away.
    fn content(&self) -> Option<Plain>;

    /// What is accepted.
    fn accepts() -> Form;
}

impl<T: Value> Slot for T {
    const REQUIRED: bool = true;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        match given {
            Some(given) => Value::read(given, problems).map(Some),
            None => Some(None),
        }
    }

    fn content(&self) -> Option<Plain> {
        Some(Value::write(self))
    }

    fn accepts() -> Form {
        <T as Value>::form()
    }
}

impl<T: Value> Slot for Option<T> {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        match given {
            Some(given) => T::read(given, problems).map(|value| Some(Some(value))),
            None => Some(Some(None)),
        }
    }

    fn content(&self) -> Option<Plain> {
        self.as_ref().map(Value::write)
    }

    fn accepts() -> Form {
        T::form()
    }
}
