//! Collects mistakes with their positions.

use std::{fmt, ops::Range};

use toml::de::DeValue;

use super::Given;
use crate::{Diagnostic, Diagnostics, near, source::Sources};

/// The mistakes and warnings of a scenario.
pub(crate) struct Problems<'s> {
    sources: &'s Sources,
    noted: Diagnostics,
    untested: Diagnostics,
}

impl<'s> Problems<'s> {
    pub(crate) fn new(sources: &'s Sources) -> Self {
        Problems { sources, noted: Diagnostics::default(), untested: Diagnostics::default() }
    }

    /// Reports a mistake or a warning at a position.
    pub(crate) fn report(&mut self, span: &Range<usize>, diagnostic: Diagnostic) {
        self.noted.push(self.sources.place(diagnostic, span));
    }

    /// Reports that a verdict would mean nothing.
    pub(crate) fn untested(&mut self, span: &Range<usize>, diagnostic: Diagnostic) {
        self.untested.push(self.sources.place(diagnostic, span));
    }

    /// Reports a mistake, with a help text.
    pub(crate) fn refuse(
        &mut self,
        span: &Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(span, Diagnostic::error(problem).help(help));
    }

    /// Reports a value of the wrong type.
    pub(crate) fn wrong_type(&mut self, given: &Given<'_>, expected: impl fmt::Display) {
        let label = format!("this is {}", in_words(given.get_ref()));
        let problem = Diagnostic::error(format!("expected {expected}")).label(label);
        self.report(&given.span(), problem);
    }

    /// Reports a key that the table does not have.
    pub(crate) fn unknown_key(&mut self, span: &Range<usize>, key: &str, accepted: &[&str]) {
        self.refuse(span, format!("unknown key `{key}`"), near::help(key, accepted));
    }

    /// Reports that a required key is missing.
    pub(crate) fn missing(&mut self, table: &Range<usize>, key: &str) {
        let problem = Diagnostic::error(format!("`{key}` is missing"));
        self.report(table, problem.label("this table needs it"));
    }

    /// All mistakes and warnings, and what makes a verdict mean nothing, in the order of the file.
    pub(crate) fn into_parts(mut self) -> (Diagnostics, Diagnostics) {
        self.noted.sort();
        self.untested.sort();
        (self.noted, self.untested)
    }
}

/// The type and, where short, the value, in the terms of TOML.
fn in_words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
