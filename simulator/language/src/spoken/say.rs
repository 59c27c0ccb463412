//! From the keys of a table to arguments.

use super::{scalar::text, table_in};
use crate::form::{Flag, Form, KeyForm, Plain, PlainTable, Spoken, TableForm};

/// Keys that can stand beside the word of any step.
const BESIDE: [&str; 3] = ["name", "caption", "optional"];

/// The arguments for a table with one word, the first of `keys`.
pub(super) fn one(keys: &[KeyForm], spoken: &Spoken, table: &PlainTable) -> Vec<String> {
    let Some((name, item)) = table.0.first() else { return Vec::new() };
    let rest = table.0[1..].iter().map(|(name, item)| format!("{name}={}", text(item)));
    let mut words = vec![name.clone()];
    let is_key = |word: &str| {
        word == "--"
            || word.split_once('=').is_some_and(|(key, _)| {
                BESIDE.contains(&key) || keys.iter().any(|it| it.key == key)
            })
    };
    match item {
        Plain::Table(table) => {
            words.extend(
                table_in(&keys[0].form).map_or(Vec::new(), |form| entries(form, spoken, table)),
            );
        }
        Plain::Boolean(true) => {}
        Plain::List(items) if items.iter().all(|item| matches!(item, Plain::Text(_))) => {
            let items: Vec<_> = items.iter().map(text).collect();
            let literally = items.iter().any(|word| is_key(word));
            words.extend(rest);
            words.extend(literally.then(|| "--".to_owned()));
            words.extend(items);
            return words;
        }
        item => {
            let said = text(item);
            let parts: Vec<_> = said.split(' ').map(str::to_owned).collect();
            let misheard = |part: &String| part.is_empty() || is_key(part);
            if parts.iter().any(misheard) || spoken.thing == parts.first().map(String::as_str) {
                words = vec![format!("{name}={said}")];
            } else {
                words.extend(parts);
            }
        }
    }
    words.extend(rest);
    words
}

/// The arguments for a table with several words.
pub(super) fn several(keys: &[KeyForm], table: &PlainTable) -> Vec<String> {
    let mut words = Vec::new();
    for (name, item) in &table.0 {
        let form = keys.iter().find(|key| key.key == name).and_then(|key| table_in(&key.form));
        match (item, form) {
            (Plain::Table(table), Some(form)) => {
                words.push(name.clone());
                let spoken = crate::step::spoken(name).map_or(Spoken::PLAIN, |(_, it)| *it);
                words.extend(entries(form, &spoken, table));
            }
            (Plain::List(items), Some(form)) => {
                for item in items {
                    let Plain::Table(table) = item else { continue };
                    words.extend((!words.is_empty()).then(|| "and".to_owned()));
                    words.push(name.clone());
                    words.extend(entries(form, &Spoken::PLAIN, table));
                }
            }
            (item, _) => words.push(format!("{name}={}", text(item))),
        }
    }
    words
}

/// The arguments for the keys of a table.
fn entries(form: &TableForm, spoken: &Spoken, table: &PlainTable) -> Vec<String> {
    let flag = |(name, item): &(String, Plain)| {
        let meant = |flag: &&Flag| flag.key == name && *item == Plain::Boolean(flag.value);
        spoken.flags.iter().find(meant).map(|flag| flag.word.to_owned())
    };
    let mut words: Vec<String> = table.0.iter().filter_map(flag).collect();
    for entry in table.0.iter().filter(|entry| flag(entry).is_none()) {
        let key = form.keys.iter().find(|key| key.key == entry.0);
        match rows(key, &entry.1) {
            Some(rows) => words.extend(rows),
            None => dotted(&entry.0, &entry.1, &mut words),
        }
    }
    words
}

/// A list of tables as the values of their required keys, if they have no others and each is one
/// word.
fn rows(key: Option<&KeyForm>, item: &Plain) -> Option<Vec<String>> {
    let (Form::List(form), Plain::List(items)) = (&key?.form, item) else { return None };
    let Form::Table(form) = &**form else { return None };
    let required: Vec<_> = form.keys.iter().filter(|key| key.required).map(|key| key.key).collect();
    let mut words = Vec::new();
    for item in items {
        let Plain::Table(row) = item else { return None };
        if !row.0.iter().map(|(name, _)| name.as_str()).eq(required.iter().copied()) {
            return None;
        }
        words.extend(row.0.iter().map(|(_, item)| text(item)));
    }
    Some(words)
}

/// A key with its value, and those of a table within, with dots.
fn dotted(path: &str, item: &Plain, words: &mut Vec<String>) {
    match item {
        Plain::Table(table) if !table.0.is_empty() => {
            for (name, item) in &table.0 {
                dotted(&format!("{path}.{name}"), item, words);
            }
        }
        item => words.push(format!("{path}={}", text(item))),
    }
}
