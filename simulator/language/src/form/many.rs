//! A table or a list of tables.

use std::ops::Deref;

use toml::de::DeValue;

use super::{Form, Given, Plain, Problems, Slot, Value};

/// A list of tables. A list with one entry can be written as the table alone.
#[derive(Debug, Clone)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Many(Vec::new())
    }
}

impl<T: Value> Slot for Many<T> {
    const REQUIRED: bool = false;

    fn fill(given: Option<&Given<'_>>, problems: &mut Problems<'_>) -> Option<Option<Self>> {
        let Some(given) = given else { return Some(Some(Many::default())) };
        let many = match given.get_ref() {
            DeValue::Table(_) => vec![T::read(given, problems)?],
            DeValue::Array(_) => Vec::read(given, problems)?,
            _ => {
                problems.wrong_type(given, "a table or a list of tables");
                return None;
            }
        };
        Some(Some(Many(many)))
    }

    fn content(&self) -> Option<Plain> {
        (!self.0.is_empty()).then(|| self.0.write())
    }

    fn accepts() -> Form {
        let one = <T as Value>::form();
        Form::Either(vec![one.clone(), Form::List(Box::new(one))])
    }
}
