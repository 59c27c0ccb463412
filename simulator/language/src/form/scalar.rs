//! Whole numbers, numbers, booleans, strings, lists, and values with a position.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{Form, Given, Plain, PlainTable, Problems, Slot, Value};
use crate::value::At;

impl Value for u64 {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let number = match given.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let number = number.and_then(|number| u64::try_from(number).ok());
        if number.is_none() {
            problems.wrong_type(given, "a whole number");
        }
        number
    }

    fn write(&self) -> Plain {
        Plain::Whole(*self)
    }

    fn form() -> Form {
        Form::Whole
    }
}

impl Value for f64 {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let number = match given.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|it| it as f64)
            }
            _ => None,
        };
        if number.is_none() {
            problems.wrong_type(given, "a number");
        }
        number
    }

    fn write(&self) -> Plain {
        Plain::Number(*self)
    }

    fn form() -> Form {
        Form::Number
    }
}

impl Value for bool {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = given.get_ref().as_bool();
        if value.is_none() {
            problems.wrong_type(given, "true or false");
        }
        value
    }

    fn write(&self) -> Plain {
        Plain::Boolean(*self)
    }

    fn form() -> Form {
        Form::Boolean
    }
}

impl Value for String {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = given.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            problems.wrong_type(given, "a string");
        }
        text
    }

    fn write(&self) -> Plain {
        Plain::Text(self.clone())
    }

    fn form() -> Form {
        Form::Text
    }
}

impl<T: Value> Value for At<T> {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        T::read(given, problems).map(|value| At { value, span: given.span() })
    }

    fn write(&self) -> Plain {
        self.value.write()
    }

    fn form() -> Form {
        <T as Value>::form()
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(items) = given.get_ref().as_array() else {
            problems.wrong_type(given, "a list");
            return None;
        };
        // All items are read even after a mistake, so that every mistake is reported.
        let read: Vec<Option<T>> = items.iter().map(|item| T::read(item, problems)).collect();
        read.into_iter().collect()
    }

    fn write(&self) -> Plain {
        Plain::List(self.iter().map(T::write).collect())
    }

    fn form() -> Form {
        Form::List(Box::new(<T as Value>::form()))
    }
}

/// An optional list, empty by default.
#[derive(Debug, Clone)]
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed(Vec::new())
    }
}

impl<T: Value> Slot for Listed<T> {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        match given {
            Some(given) => Vec::read(given, problems).map(|items| Some(Listed(items))),
            None => Some(Some(Listed::default())),
        }
    }

    fn content(&self) -> Option<Plain> {
        (!self.0.is_empty()).then(|| self.0.write())
    }

    fn accepts() -> Form {
        <Vec<T> as Value>::form()
    }
}

/// Values by names that the user chooses, empty by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named<T>(pub(crate) BTreeMap<String, T>);

impl<T: Value> Slot for Named<T> {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        let Some(given) = given else { return Some(Some(Named(BTreeMap::new()))) };
        let Some(table) = given.get_ref().as_table() else {
            problems.wrong_type(given, "a table");
            return None;
        };
        let read: Vec<Option<(String, T)>> = table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), T::read(value, problems)?)))
            .collect();
        let read: Option<BTreeMap<String, T>> = read.into_iter().collect();
        read.map(|entries| Some(Named(entries)))
    }

    fn content(&self) -> Option<Plain> {
        let entries = self.0.iter().map(|(key, value)| (key.clone(), value.write()));
        (!self.0.is_empty()).then(|| Plain::Table(PlainTable(entries.collect())))
    }

    fn accepts() -> Form {
        Form::Map(Box::new(<T as Value>::form()))
    }
}
