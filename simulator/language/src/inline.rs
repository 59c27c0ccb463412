//! Values as TOML on one line.

use std::fmt::Write;

use toml::de::DeValue;

use crate::form::{Plain, PlainTable};

/// The keys of a table on one line, as inside an inline table: `lun = 0, controller = "B"`.
pub(crate) fn keys(table: &PlainTable) -> String {
    let entries = table.0.iter().map(|(name, item)| format!("{} = {}", key(name), value(item)));
    entries.collect::<Vec<_>>().join(", ")
}

/// A value on one line.
pub(crate) fn value(value: &Plain) -> String {
    match value {
        Plain::Boolean(it) => it.to_string(),
        Plain::Whole(number) => number.to_string(),
        Plain::Number(number) => format!("{number:?}"),
        Plain::Text(text) => quoted(text),
        Plain::List(items) => {
            format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", "))
        }
        Plain::Table(table) if table.0.is_empty() => "{}".to_owned(),
        Plain::Table(table) => format!("{{ {} }}", keys(table)),
    }
}

/// A key, in quotes if it needs them.
pub(crate) fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// A basic string, without line breaks.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Writing to a `String` does not fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A value that was parsed, for writing. What cannot be written as it is becomes text.
pub(crate) fn plain(value: &DeValue<'_>) -> Plain {
    match value {
        DeValue::Boolean(it) => Plain::Boolean(*it),
        DeValue::Integer(number) => {
            let whole = u64::from_str_radix(number.as_str(), number.radix());
            whole.map_or_else(|_| Plain::Text(number.as_str().to_owned()), Plain::Whole)
        }
        DeValue::Float(number) => {
            let text = number.as_str();
            text.parse().map_or_else(|_| Plain::Text(text.to_owned()), Plain::Number)
        }
        DeValue::String(text) => Plain::Text(text.to_string()),
        DeValue::Datetime(date) => Plain::Text(date.to_string()),
        DeValue::Array(items) => {
            Plain::List(items.iter().map(|item| plain(item.get_ref())).collect())
        }
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries =
                entries.map(|(key, item)| (key.get_ref().to_string(), plain(item.get_ref())));
            Plain::Table(PlainTable(entries.collect()))
        }
    }
}
