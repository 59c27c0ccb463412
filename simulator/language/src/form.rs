//! The structure of a scenario file: tables, their keys and the values of the keys, each declared
//! once. From the declaration come the reader, which reports every mistake at its position, the
//! writer, and the description from which the JSON Schema and the reference are generated.

mod choice;
mod describe;
mod entries;
mod many;
mod plain;
mod problems;
mod scalar;
mod section;
mod spoken;
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
pub(crate) use spoken::{Flag, Spoken};
pub(crate) use table::{Table, keys_of_both, table, table_value};
pub(crate) use text::{Kind, Name, Text, name};
pub(crate) use words::words;

/// A value from a file, with its byte range.
pub(crate) type Given<'t> = Spanned<DeValue<'t>>;

/// A type that the value of a key can have.
pub(crate) trait Value: Sized {
    /// Reads a value; `None` if there is a mistake, which has been reported.
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self>;

    /// Writes the value so that reading it gives the same value.
    fn write(&self) -> Plain;

    /// The description of what is accepted.
    fn form() -> Form;
}

/// The type of a key's field: a required value, or an optional one.
pub(crate) trait Slot: Sized {
    /// Whether the key is required.
    const REQUIRED: bool;

    /// Reads the value of the key. The outer option is `None` if there is a mistake, the inner one
    /// if a required key is missing.
    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>>;

    /// Writes the value; `None` if the key is omitted.
    fn content(&self) -> Option<Plain>;

    /// The description of what is accepted.
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
