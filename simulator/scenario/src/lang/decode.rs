//! From text to tables, with as many mistakes found at once as possible.

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    Diagnostic, Diagnostics, Set,
    file::{Array, Expect, Fault, File, Guest, Hba, Step, Workload},
    near,
    source::{Sources, apply, complete},
};

/// Tries to read one table; the value is thrown away, only the mistake counts.
type Probe = fn(Spanned<DeValue<'_>>) -> Result<(), toml::de::Error>;

/// What a table, or every table of a list, is read as. Reading them one by one finds a mistake in
/// each, where reading the file as a whole would end at the first.
const SECTIONS: [(&str, Probe); 7] = [
    ("guest", probe::<Guest>),
    ("array", probe::<Array>),
    ("hba", probe::<Hba>),
    ("workload", probe::<Workload>),
    ("fault", probe::<Fault>),
    ("step", probe::<Step>),
    ("expect", probe::<Expect>),
];

fn probe<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<(), toml::de::Error> {
    T::deserialize(ValueDeserializer::from(value)).map(drop)
}

/// Reads a scenario file and what is set over it.
pub(super) fn decode(
    text: &str,
    sets: &[Set],
    model: Option<&str>,
    sources: &Sources,
) -> Result<File, Diagnostics> {
    let (root, errors) = DeTable::parse_recoverable(text);
    // What follows the first mistake in the TOML itself is mostly its consequence.
    if let Some(first) = errors.into_iter().min_by_key(|error| error.span().map(|s| s.start)) {
        return Err(collect(&[first], sources));
    }
    let span = root.span();
    let mut table = root.into_inner();
    let mut diagnostics = apply(&mut table, sets, sources);
    if let Some(model) = model
        && let Err((why, span)) = complete(&mut table, model, sources)
    {
        diagnostics.push(sources.place(Diagnostic::error(why), &span));
    }
    let mut errors = probe_sections(&mut table);
    // What is left is sound but for the keys of the file itself.
    let root = Spanned::new(span, DeValue::Table(table));
    match probe_file(root) {
        Ok(file) if errors.is_empty() && diagnostics.is_empty() => return Ok(file),
        Ok(_) => {}
        Err(error) => errors.push(error),
    }
    diagnostics.extend(collect(&errors, sources));
    diagnostics.sort();
    Err(diagnostics)
}

fn probe_file(root: Spanned<DeValue<'_>>) -> Result<File, toml::de::Error> {
    serde::Deserialize::deserialize(ValueDeserializer::from(root))
}

/// Reads every section by itself and takes the bad ones out.
fn probe_sections(table: &mut DeTable<'_>) -> Vec<toml::de::Error> {
    let mut errors = Vec::new();
    for (name, probe) in SECTIONS {
        let Some(section) = table.get(name) else { continue };
        let found: Vec<_> = match section.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| probe(item.clone()).err()).collect()
            }
            _ => probe(section.clone()).err().into_iter().collect(),
        };
        if !found.is_empty() {
            table.remove(name);
            errors.extend(found);
        }
    }
    errors
}

fn collect(errors: &[toml::de::Error], sources: &Sources) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for error in errors {
        let diagnostic = translate(error.message());
        diagnostics.push(sources.place(diagnostic, &error.span().unwrap_or(0..0)));
    }
    diagnostics
}

/// Says in a scenario author's words what the TOML library says in a programmer's.
fn translate(message: &str) -> Diagnostic {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (key, accepted) = names(rest);
        let near = near::help(&key, &accepted);
        return Diagnostic::error(format!("unknown key `{key}`")).help(near);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (word, accepted) = names(rest);
        let near = near::help(&word, &accepted);
        return Diagnostic::error(format!("{word:?} is not accepted here")).help(near);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Diagnostic::error(format!("{key} is missing")).label("this table needs it");
    }
    if let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.split_once(", expected "))
    {
        let expected = plain(expected);
        return Diagnostic::error(format!("expected {expected}"))
            .label(format!("this is {}", found_in_words(found)));
    }
    Diagnostic::error(message)
}

/// The name that was found and those that would have been accepted: all are in backticks.
fn names(message: &str) -> (String, Vec<String>) {
    let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let found = names.next().unwrap_or_default();
    (found, names.collect())
}

/// A Rust type in words.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a table",
        "a boolean" => "true or false",
        "string or table" => "a string",
        other => other,
    }
}

/// What was found, in words.
fn found_in_words(found: &str) -> String {
    match found.split_once(' ') {
        None if found == "map" => "a table".to_owned(),
        None if found == "sequence" => "a list".to_owned(),
        Some(("integer" | "boolean", value)) => value.trim_matches('`').to_owned(),
        Some(("floating", value)) => {
            value.trim_start_matches("point ").trim_matches('`').to_owned()
        }
        Some(("string", value)) => format!("the string {value}"),
        _ => found.to_owned(),
    }
}
