//! Values that are written as one string.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// A kind of value that is read from and printed as a string.
pub trait Kind: FromStr<Err: fmt::Display> + fmt::Display {
    /// What is accepted, as it follows "expected".
    const EXPECTED: &'static str;
    /// A regular expression of what is accepted, for the JSON Schema.
    const PATTERN: &'static str;

    /// Its name in the JSON Schema.
    fn schema_name() -> Cow<'static, str>;
}

/// A value of some kind as it stands in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<T> Deref for Text<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Kind> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<T: Kind> Visitor<'_> for Reader<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
                text.parse().map(Text).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl<T: Kind> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Kind> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut expected = T::EXPECTED.to_owned();
        if let Some(first) = expected.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        json_schema!({ "type": "string", "pattern": T::PATTERN, "description": expected })
    }
}

/// The leading number of a text and the unit after it, both trimmed.
pub(super) fn split_number(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}
