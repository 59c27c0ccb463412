//! The entries of a table that is being read.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Given, Problems, Slot};

/// The entries of a table. Keys are taken one by one; those that remain are unknown.
pub(crate) struct Entries<'t> {
    table: &'t DeTable<'t>,
    /// The position of the table.
    pub(crate) span: Range<usize>,
    /// The keys that have been asked for, in the order of the declaration.
    known: Vec<&'static str>,
}

impl<'t> Entries<'t> {
    /// The entries of `given`. If it is not a table, the report says that `expected` was expected.
    pub(crate) fn open(
        given: &'t Given<'t>,
        expected: &str,
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        match given.get_ref() {
            DeValue::Table(table) => Some(Self::of(table, given.span())),
            _ => {
                problems.wrong_type(given, expected);
                None
            }
        }
    }

    /// The entries of a table at `span`.
    pub(crate) fn of(table: &'t DeTable<'t>, span: Range<usize>) -> Self {
        Entries { table, span, known: Vec::new() }
    }

    /// Whether the table has this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The position of the value of a key, if the table has the key.
    pub(crate) fn place(&self, key: &str) -> Option<Range<usize>> {
        self.table.get(key).map(Given::span)
    }

    /// Reads the value of a key; `None` if there is a mistake, which has been reported.
    pub(crate) fn take<T: Slot>(
        &mut self,
        key: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        self.know(&[key]);
        let read = T::fill(self.table.get(key), problems)?;
        if read.is_none() {
            problems.missing(&self.span, key);
        }
        read
    }

    /// Marks keys as known without reading them.
    pub(crate) fn know(&mut self, keys: &[&'static str]) {
        let new = keys.iter().filter(|key| !self.known.contains(key)).copied();
        self.known.extend(new.collect::<Vec<_>>());
    }

    /// The unknown keys, each with its position.
    fn strangers(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.table
            .iter()
            .map(|(key, _)| (&**key.get_ref(), key.span()))
            .filter(|(key, _)| !self.known.contains(key))
    }

    /// Whether the table has an unknown key.
    pub(crate) fn has_strangers(&self) -> bool {
        self.strangers().next().is_some()
    }

    /// Reports every unknown key.
    pub(crate) fn close(self, problems: &mut Problems<'_>) {
        for (key, span) in self.strangers() {
            problems.unknown_key(&span, key, &self.known);
        }
    }
}
