//! What can be said next.

use sansim_array::OPERATIONS;
use sansim_stage::Array;

use super::{
    actions,
    hear::{as_far_as_possible, find},
    scalar::accepts,
    table_in, table_of,
};
use crate::{
    Vocabulary, expect,
    fault::Fault,
    form::{Form, KeyForm, Spoken, Table},
    step,
    value::Size,
};

/// A word that can be said next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word. One that ends in `=` needs a value, in the same word.
    pub value: String,
    /// What the word means, or of what it is the name; can be empty.
    pub help: String,
}

impl Candidate {
    fn new(value: impl ToString, help: impl Into<String>) -> Self {
        Candidate { value: value.to_string(), help: help.into() }
    }
}

/// The words that can be said after `words`, which are those of a step; of a fault, beginning with
/// `when` or `then`; or of an expectation, beginning with `expect`. Whoever asks filters by what is
/// typed of the next word. If the last of `words` is `key=`, the candidates are that word with each
/// value.
pub fn complete(words: &[String], vocabulary: &Vocabulary) -> Vec<Candidate> {
    let Some((first, rest)) = words.split_first() else {
        let about = |name| step::spoken(name).map_or(String::new(), |(keys, _)| about(&keys[0]));
        return actions().into_iter().map(|name| Candidate::new(name, about(name))).collect();
    };
    match first.as_str() {
        "when" | "then" => fault(words, vocabulary),
        "expect" => several(&expect::keys(), rest, vocabulary),
        name => {
            let Some((keys, spoken)) = step::spoken(&name.replace('-', "_")) else {
                return Vec::new();
            };
            item(&keys[0], spoken, rest, vocabulary)
        }
    }
}

fn fault(words: &[String], vocabulary: &Vocabulary) -> Vec<Candidate> {
    let keys = Fault::keys();
    if let Some(then) = words.iter().position(|word| word == "then") {
        return several(&table_of(&keys, "then"), &words[then + 1..], vocabulary);
    }
    let mut all = several(&table_of(&keys, "when"), &words[1..], vocabulary);
    let then = keys.iter().find(|key| key.key == "then");
    let is_open = words.last().is_some_and(|word| word.ends_with('='));
    all.extend(then.filter(|_| !is_open).map(|key| Candidate::new("then", about(key))));
    all
}

/// The next word of a table with several words: one of the last word, or another one.
fn several(keys: &[KeyForm], words: &[String], vocabulary: &Vocabulary) -> Vec<Candidate> {
    if let Some((key, path)) = open_key(keys, words) {
        return with_key(path, values(key.key, &key.form, vocabulary));
    }
    let last = words.iter().rposition(|word| find(keys, word).is_some());
    let mut all = Vec::new();
    if let Some((at, key)) = last.and_then(|at| Some((at, find(keys, &words[at])?))) {
        let spoken = step::spoken(key.key).map_or(Spoken::PLAIN, |(_, spoken)| *spoken);
        all = item(key, &spoken, &words[at + 1..], vocabulary);
        if at + 1 == words.len() && !all.is_empty() {
            return all;
        }
    }
    let said = |key: &&KeyForm| {
        let name = |word: &String| word.split(['=', '.']).next() == Some(key.key);
        words.iter().any(name)
    };
    all.extend(keys.iter().filter(|key| !said(key)).map(named));
    all
}

/// A key that is said with its value: a word of its own if the value is a table.
fn named(key: &KeyForm) -> Candidate {
    let end = if table_in(&key.form).is_some() { "" } else { "=" };
    Candidate::new(format!("{}{end}", key.key), about(key))
}

/// The next word of the value of a key.
fn item(
    key: &KeyForm,
    spoken: &Spoken,
    words: &[String],
    vocabulary: &Vocabulary,
) -> Vec<Candidate> {
    let name = spoken.thing.unwrap_or(key.key);
    let words = words.strip_prefix(&[name.to_owned()]).unwrap_or(words);
    let mut all = next_words(&values(name, &key.form, vocabulary), words);
    let Some(form) = table_in(&key.form) else { return all };
    if !all.is_empty() || is_said_alone(&key.form, words) {
        return all;
    }
    if let Some((last, path)) = open_key(&form.keys, words) {
        return with_key(path, values(last.key, &last.form, vocabulary));
    }
    if let Some(last) = words.last().and_then(|word| find(&form.keys, word)) {
        let values = values(last.key, &last.form, vocabulary);
        if !values.is_empty() && !matches!(last.form, Form::Boolean) {
            return next_words(&values, &[]);
        }
    }
    let said = as_far_as_possible(form, spoken, words);
    let is_missing = |name: &str| !said.0.iter().any(|(said, _)| said == name);
    let flags = spoken.flags.iter().filter(|flag| is_missing(flag.key));
    all.extend(flags.map(|flag| {
        Candidate::new(flag.word, find(&form.keys, flag.key).map_or(String::new(), about))
    }));
    let flagged = |key: &KeyForm| spoken.flags.iter().any(|flag| flag.key == key.key);
    let missing = form.keys.iter().filter(|key| is_missing(key.key) && !flagged(key));
    all.extend(missing.flat_map(|key| missing_key(key, vocabulary)));
    all
}

/// A missing key of a table, with its values if they can be listed: as they are if the key is
/// required.
fn missing_key(key: &KeyForm, vocabulary: &Vocabulary) -> Vec<Candidate> {
    let first = first_of_row(&key.form).unwrap_or(key);
    let values = values(first.key, &first.form, vocabulary);
    match key.required {
        _ if values.is_empty() => vec![named(key)],
        true => values,
        false => with_key(&format!("{}=", key.key), values),
    }
}

/// The key whose value is said first of a table in a list.
fn first_of_row(form: &Form) -> Option<&KeyForm> {
    let Form::List(item) = form else { return None };
    let Form::Table(row) = &**item else { return None };
    row.keys.iter().find(|key| key.required)
}

/// Values in one word with their key.
fn with_key(key: &str, values: Vec<Candidate>) -> Vec<Candidate> {
    let with_key = |it: Candidate| Candidate { value: format!("{key}{}", it.value), ..it };
    values.into_iter().map(with_key).collect()
}

/// The key whose value is still to be said, and the last word, if that is `key=`.
fn open_key<'k, 'w>(keys: &'k [KeyForm], words: &'w [String]) -> Option<(&'k KeyForm, &'w str)> {
    let last = words.last()?;
    Some((find(keys, last.strip_suffix('=')?)?, last))
}

/// Whether a value that can be a table was said as something else.
fn is_said_alone(form: &Form, words: &[String]) -> bool {
    let Form::Either(forms) = form else { return false };
    let mut others = forms.iter().filter(|form| table_in(form).is_none());
    words.first().is_some_and(|word| others.any(|form| accepts(form, word)))
}

/// The next word of values that begin with `words`.
fn next_words(values: &[Candidate], words: &[String]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for candidate in values {
        let parts: Vec<_> = candidate.value.split(' ').collect();
        let begins = parts.len() > words.len() && parts.iter().zip(words).all(|(a, b)| a == b);
        let Some(next) = parts.get(words.len()).filter(|_| begins) else { continue };
        if !all.iter().any(|known| known.value == *next) {
            all.push(Candidate::new(next, candidate.help.clone()));
        }
    }
    all
}

/// The values of a key, as far as they can be listed.
fn values(name: &str, form: &Form, vocabulary: &Vocabulary) -> Vec<Candidate> {
    let named = |names: Vec<&str>, help: &str| {
        names.into_iter().map(|name| Candidate::new(name, help)).collect::<Vec<_>>()
    };
    match (name, form) {
        ("lun", _) => {
            let luns = vocabulary.luns();
            luns.map(|it| Candidate::new(it.lun, format!("{}, {}", it.label, Size(it.bytes))))
                .collect()
        }
        ("hba", _) => {
            let hbas = vocabulary.hbas().iter();
            hbas.map(|hba| Candidate::new(hba.id.0, hba.id.to_string())).collect()
        }
        ("fault", Form::Text) => named(vocabulary.rules().collect(), "a fault rule"),
        ("hold", Form::Text) => named(vocabulary.holds().collect(), "a hold"),
        ("step", Form::Text) => named(vocabulary.programs().collect(), "a step that ran a program"),
        ("group", Form::Whole) => vocabulary
            .arrays()
            .iter()
            .flat_map(Array::controller_ids)
            .map(|id| Candidate::new(id.index() + 1, "a target port group"))
            .collect(),
        (_, Form::Pattern { name, pattern, .. }) => patterned(name, pattern, vocabulary),
        (_, Form::Words { words, .. }) => {
            words.iter().map(|word| Candidate::new(word.word, word.about.trim())).collect()
        }
        (_, Form::Boolean) => named(vec!["true", "false"], ""),
        (_, Form::Either(forms)) => {
            forms.iter().flat_map(|form| values(name, form, vocabulary)).collect()
        }
        _ => Vec::new(),
    }
}

/// The values of a pattern: parts of the array, or the alternatives of the pattern itself.
fn patterned(name: &str, pattern: &str, vocabulary: &Vocabulary) -> Vec<Candidate> {
    let arrays = vocabulary.arrays();
    let controllers = || arrays.iter().flat_map(Array::controller_ids);
    let ports = || arrays.iter().flat_map(Array::ports);
    let several = || arrays.iter().filter(|_| arrays.len() > 1);
    let array = |it: &Array| Candidate::new(format!("array {}", it.identity.name), "an array");
    let paths = || {
        let ports = ports().map(|port| Candidate::new(port, "a port"));
        let hbas = vocabulary.hbas().iter();
        let each = hbas.flat_map(|hba| hba.targets.iter().map(move |port| (hba.id, port)));
        ports.chain(each.map(|(hba, port)| Candidate::new(format!("{hba}:{port}"), "a path")))
    };
    match name {
        "Controller" => controllers().map(|id| Candidate::new(id, "a controller")).collect(),
        "Part" => {
            let parts = controllers();
            let parts = parts.map(|id| Candidate::new(format!("controller {id}"), "a controller"));
            let witness = several().next().map(|_| Candidate::new("witness", "the witness"));
            parts.chain(several().map(array)).chain(witness).collect()
        }
        "WholeArray" => several().map(array).collect(),
        "Port" => ports().map(|port| Candidate::new(port, "a port")).collect(),
        "Path" => paths().collect(),
        "AllOrPath" => [Candidate::new("all", "every path")].into_iter().chain(paths()).collect(),
        "Operation" => operations(),
        _ => {
            let words = pattern.strip_prefix("^(").and_then(|rest| rest.strip_suffix(")$"));
            let is_plain = |words: &&str| {
                words.chars().all(|c| c.is_ascii_alphanumeric() || "|/-".contains(c))
            };
            let words = words.filter(is_plain).into_iter().flat_map(|words| words.split('|'));
            words.map(|word| Candidate::new(word, "")).collect()
        }
    }
}

/// The operations, whatever the length of their CDB.
fn operations() -> Vec<Candidate> {
    let mut names: Vec<&str> = vec!["any", "medium"];
    for op in &OPERATIONS {
        let name = op.name.split('(').next().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| Candidate::new(name, "")).collect()
}

/// The first sentence about a key.
fn about(key: &KeyForm) -> String {
    let text = key.about.trim_start_matches("Action: ");
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text[..end].trim().to_owned()
}
