//! Values for writing as TOML, with keys in the order of the declaration.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// A value for writing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Whole(u64),
    /// Any number.
    Number(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Plain>),
    /// A table.
    Table(PlainTable),
}

/// A table for writing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PlainTable(pub(crate) Vec<(String, Plain)>);

impl PlainTable {
    /// Adds a key, unless `value` is `None`.
    pub(crate) fn put(&mut self, key: &str, value: Option<Plain>) {
        self.0.extend(value.map(|value| (key.to_owned(), value)));
    }
}

impl Serialize for PlainTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Plain::Boolean(value) => serializer.serialize_bool(*value),
            Plain::Whole(number) => serializer.serialize_u64(*number),
            Plain::Number(number) => serializer.serialize_f64(*number),
            Plain::Text(text) => serializer.serialize_str(text),
            Plain::List(items) => serializer.collect_seq(items),
            Plain::Table(table) => table.serialize(serializer),
        }
    }
}
