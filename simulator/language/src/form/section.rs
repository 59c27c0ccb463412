//! Optional tables. Omitting one means the same as an empty table.

use std::ops::Deref;

use toml::de::DeTable;

use super::{Entries, Form, Given, Plain, PlainTable, Problems, Slot, Table, Value};
use crate::value::At;

/// An optional table. None of its keys is required.
#[derive(Debug, Clone)]
pub(crate) struct Section<T>(At<T>);

impl<T> Section<T> {
    /// A table without a position in the file.
    pub(crate) fn nowhere(table: T) -> Self {
        Section(At::nowhere(table))
    }
}

impl<T> Deref for Section<T> {
    type Target = At<T>;

    fn deref(&self) -> &At<T> {
        &self.0
    }
}

impl<T: Table + Value> Slot for Section<T> {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        let table = match given {
            Some(given) => At::read(given, problems)?,
            None => {
                let nothing = DeTable::new();
                At::nowhere(T::take(&mut Entries::of(&nothing, 0..0), problems)?)
            }
        };
        Some(Some(Section(table)))
    }

    fn content(&self) -> Option<Plain> {
        let mut table = PlainTable::default();
        self.0.value.put(&mut table);
        (!table.0.is_empty()).then_some(Plain::Table(table))
    }

    fn accepts() -> Form {
        T::form()
    }
}
