//! The keys of a table while it is read.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Given, Problems, Slot};

/// A table of which keys are taken until none is left.
pub(crate) struct Entries<'t> {
    table: &'t DeTable<'t>,
    /// Where the table stands.
    pub(crate) span: Range<usize>,
    /// The keys that were asked for, in the order of the declaration.
    known: Vec<&'static str>,
}

impl<'t> Entries<'t> {
    /// The entries of a table; `expected` says what was expected if it is none.
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

    /// The entries of a table that stands at `span`.
    pub(crate) fn of(table: &'t DeTable<'t>, span: Range<usize>) -> Self {
        Entries { table, span, known: Vec::new() }
    }

    /// Whether a key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the value of a key stands, if it is there.
    pub(crate) fn place(&self, key: &str) -> Option<Range<usize>> {
        self.table.get(key).map(Given::span)
    }

    /// What stands behind a key; none if there is a mistake, which has been noted then.
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

    /// Marks keys as known that are not read.
    pub(crate) fn know(&mut self, keys: &[&'static str]) {
        let new = keys.iter().filter(|key| !self.known.contains(key)).copied();
        self.known.extend(new.collect::<Vec<_>>());
    }

    /// The keys that are not known, each with its place.
    fn strangers(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.table
            .iter()
            .map(|(key, _)| (&**key.get_ref(), key.span()))
            .filter(|(key, _)| !self.known.contains(key))
    }

    /// Whether there is a key that is not known.
    pub(crate) fn has_strangers(&self) -> bool {
        self.strangers().next().is_some()
    }

    /// Notes every key that is not known.
    pub(crate) fn close(self, problems: &mut Problems<'_>) {
        for (key, span) in self.strangers() {
            problems.unknown_key(&span, key, &self.known);
        }
    }
}
