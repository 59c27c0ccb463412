//! From arguments to the keys of a table.

use super::{
    is_list_of_tables,
    scalar::{accepts, boolean, is_particular, value},
    table_in, tables_in,
};
use crate::{
    Diagnostic, Diagnostics,
    form::{Form, KeyForm, Plain, PlainTable, Spoken, TableForm},
    near, step,
};

/// Words between the conditions of an expectation.
const BETWEEN: [&str; 3] = ["and", ";", ","];
/// The maximum length of a value that can be told by how it looks, in words.
const LONGEST: usize = 32;
/// What follows is meant as it is.
const LITERALLY: &str = "--";

/// The keys of a table with one word, the first of `keys`, and with keys of `head`. The first
/// argument is the word. Of the other arguments, only `key=value` can be another key than the
/// word's.
pub(super) fn one(
    keys: &[KeyForm],
    head: &[KeyForm],
    spoken: &Spoken,
    words: &[String],
) -> Result<PlainTable, Diagnostics> {
    let all = [keys, head].concat();
    let mut table = PlainTable::default();
    let said = words.first().is_some_and(|word| word.contains(['=', '.']));
    let rest = if said { words } else { words.get(1..).unwrap_or_default() };
    let mut hearer = Hearer { rest, others: &all[1..], is_only: true };
    if !said {
        while let Some((path, text)) = hearer.another() {
            set(&mut table, &all, path, text)?;
        }
        let item = hearer.item(&all[0], spoken)?;
        table.0.insert(0, (all[0].key.to_owned(), item));
    }
    while let Some(word) = hearer.next() {
        match (word.split_once('='), find(&all, word)) {
            (Some((path, text)), _) if find(&all, root(path)).is_some() => {
                set(&mut table, &all, path, text)?;
            }
            (None, Some(key)) => {
                let text = hearer.next().ok_or_else(|| nothing(key))?;
                add(&mut table, key, value(&key.form, text))?;
            }
            _ => {
                let inner = table_in(&all[0].form).map_or(&all, |form| &form.keys);
                return Err(stray(word, inner).into());
            }
        }
    }
    Ok(table)
}

/// The key with which a path of keys with dots begins.
fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// The keys of a table with several words.
pub(super) fn several(keys: &[KeyForm], words: &[String]) -> Result<PlainTable, Diagnostics> {
    let mut table = PlainTable::default();
    let mut hearer = Hearer { rest: words, others: keys, is_only: false };
    while let Some(word) = hearer.next() {
        if BETWEEN.contains(&word) {
            continue;
        }
        if let Some((path, text)) = word.split_once('=') {
            set(&mut table, keys, path, text)?;
            continue;
        }
        let Some(key) = find(keys, word) else { return Err(stray(word, keys).into()) };
        let item = hearer.item(key, &spoken_of(key))?;
        add(&mut table, key, item)?;
    }
    Ok(table)
}

/// The keys of `form` that `words` stand for, as far as they can be understood.
pub(super) fn as_far_as_possible(
    form: &TableForm,
    spoken: &Spoken,
    words: &[String],
) -> PlainTable {
    let mut table = PlainTable::default();
    let mut hearer = Hearer { rest: words, others: &[], is_only: true };
    while hearer.key_of(form, spoken, &mut table).unwrap_or(false) {}
    table
}

/// What is said of a key besides its declaration.
fn spoken_of(key: &KeyForm) -> Spoken {
    step::spoken(key.key).map_or(Spoken::PLAIN, |(_, spoken)| *spoken)
}

/// The key with this name, in which `-` can stand for `_`.
pub(super) fn find<'k>(keys: &'k [KeyForm], name: &str) -> Option<&'k KeyForm> {
    keys.iter().find(|key| key.key == name || key.key == name.replace('-', "_"))
}

fn has(table: &PlainTable, key: &KeyForm) -> bool {
    table.0.iter().any(|(name, _)| name == key.key)
}

fn stray(word: &str, keys: &[KeyForm]) -> Diagnostic {
    let names: Vec<_> = keys.iter().map(|key| key.key).collect();
    let name = word.split(['=', '.']).next().unwrap_or_default();
    if let Some(key) = find(keys, name) {
        return twice(key);
    }
    Diagnostic::error(format!("{word:?} is not understood here")).help(near::help(name, &names))
}

/// The number in `lun0`, if `thing` is `lun`.
fn numbered<'w>(thing: &str, word: &'w str) -> Option<&'w str> {
    let number = word.strip_prefix(thing)?;
    (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then_some(number)
}

/// Sets the value at a path of keys with dots.
fn set(table: &mut PlainTable, keys: &[KeyForm], path: &str, text: &str) -> Result<(), Diagnostic> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let key = find(keys, name).ok_or_else(|| stray(path, keys))?;
    let Some(rest) = rest else { return add(table, key, value(&key.form, text)) };
    let next = rest.split('.').next().unwrap_or_default();
    let tables = tables_in(&key.form);
    let form = tables.iter().find(|form| find(&form.keys, next).is_some()).or(tables.first());
    let form = form.ok_or_else(|| Diagnostic::error(format!("`{}` has no keys", key.key)))?;
    if !has(table, key) {
        table.put(key.key, Some(Plain::Table(PlainTable::default())));
    }
    let inner = table.0.iter_mut().find(|(name, _)| name == key.key);
    match inner {
        Some((_, Plain::Table(inner))) => set(inner, &form.keys, rest, text),
        _ => Err(twice(key)),
    }
}

fn nothing(key: &KeyForm) -> Diagnostic {
    let problem = Diagnostic::error(format!("`{}` needs a value", key.key));
    match &key.form {
        Form::Pattern { expected, .. } => problem.help(format!("expected {expected}")),
        Form::Words { words, .. } => {
            problem.help(near::help("", &words.iter().map(|it| it.word).collect::<Vec<_>>()))
        }
        _ => problem.help(key.about.clone()),
    }
}

fn twice(key: &KeyForm) -> Diagnostic {
    Diagnostic::error(format!("`{}` is said twice", key.key)).help("say it once")
}

/// Adds a key; one that can be a list of tables can be added several times.
fn add(table: &mut PlainTable, key: &KeyForm, item: Plain) -> Result<(), Diagnostic> {
    let Some((_, known)) = table.0.iter_mut().find(|(name, _)| name == key.key) else {
        table.put(key.key, Some(item));
        return Ok(());
    };
    match known {
        Plain::List(items) if is_list_of_tables(&key.form) => items.push(item),
        Plain::Table(_) if is_list_of_tables(&key.form) => {
            let first = std::mem::replace(known, Plain::Boolean(false));
            *known = Plain::List(vec![first, item]);
        }
        _ => return Err(twice(key)),
    }
    Ok(())
}

/// The arguments that have not been understood yet.
struct Hearer<'w, 'k> {
    rest: &'w [String],
    /// The keys that can follow.
    others: &'k [KeyForm],
    /// Whether there is only one word, so that another key can only follow as `key=value`.
    is_only: bool,
}

impl<'w> Hearer<'w, '_> {
    fn peek(&self) -> Option<&'w str> {
        self.rest.first().map(String::as_str)
    }

    fn next(&mut self) -> Option<&'w str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Whether another key begins here.
    fn is_another(&self, word: &str) -> bool {
        match word.split_once('=') {
            Some((path, _)) => find(self.others, root(path)).is_some(),
            None if self.is_only => false,
            None => BETWEEN.contains(&word) || find(self.others, word).is_some(),
        }
    }

    /// Takes another key with its value, if it comes next.
    fn another(&mut self) -> Option<(&'w str, &'w str)> {
        let word = self.peek().filter(|word| self.is_another(word))?;
        self.next();
        word.split_once('=')
    }

    /// The words up to the next key.
    fn own(&self) -> &'w [String] {
        let end = self.rest.iter().position(|word| word == LITERALLY || self.is_another(word));
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    /// The value of a key.
    fn item(&mut self, key: &KeyForm, spoken: &Spoken) -> Result<Plain, Diagnostic> {
        if let Some(thing) = spoken.thing {
            if self.peek() == Some(thing) && self.rest.len() > 1 {
                self.next();
            } else if let Some(number) = self.peek().and_then(|word| numbered(thing, word)) {
                self.next();
                return Ok(value(&key.form, number));
            }
        }
        if let Some(item) = self.scalar(&key.form) {
            return Ok(item);
        }
        match (&key.form, table_in(&key.form)) {
            (_, Some(_)) => self.table(&key.form, spoken).map(Plain::Table),
            (Form::List(item), None) => {
                let words = self.literally().unwrap_or_else(|| self.take_own());
                Ok(Plain::List(words.iter().map(|word| value(item, word)).collect()))
            }
            (form, None) => {
                let words = self.literally().unwrap_or_else(|| self.take_own());
                match (form, words) {
                    (Form::Boolean, []) => Ok(Plain::Boolean(true)),
                    (_, []) => Err(nothing(key)),
                    _ => Ok(value(form, &words.join(" "))),
                }
            }
        }
    }

    fn take_own(&mut self) -> &'w [String] {
        let own = self.own();
        self.rest = &self.rest[own.len()..];
        own
    }

    /// Everything after `--`, if that comes next.
    fn literally(&mut self) -> Option<&'w [String]> {
        let rest = self.rest.strip_prefix(&[LITERALLY.to_owned()])?;
        self.rest = &[];
        Some(rest)
    }

    /// The longest value of this form that can be told by how it looks.
    fn scalar(&mut self, form: &Form) -> Option<Plain> {
        if !is_particular(form) {
            return None;
        }
        let own = self.own();
        let joined = |length: usize| own[..length].join(" ");
        let length =
            (1..=own.len().min(LONGEST)).rev().find(|length| accepts(form, &joined(*length)))?;
        self.rest = &self.rest[length..];
        Some(value(form, &joined(length)))
    }

    /// The keys of a table.
    fn table(&mut self, form: &Form, spoken: &Spoken) -> Result<PlainTable, Diagnostic> {
        let tables = tables_in(form);
        let next = self.peek().and_then(|word| word.split(['=', '.']).next()).unwrap_or_default();
        let named = tables.iter().find(|form| find(&form.keys, next).is_some());
        let Some(form) = named.or(tables.first()) else { return Ok(PlainTable::default()) };
        let mut table = PlainTable::default();
        while self.key_of(form, spoken, &mut table)? {}
        Ok(table)
    }

    /// Takes the next key of a table; false if none comes next.
    fn key_of(
        &mut self,
        form: &TableForm,
        spoken: &Spoken,
        table: &mut PlainTable,
    ) -> Result<bool, Diagnostic> {
        let Some(word) = self.peek() else { return Ok(false) };
        let flag = spoken.flags.iter().find(|flag| flag.word == word);
        if let Some(flag) = flag
            && !table.0.iter().any(|(name, _)| name == flag.key)
        {
            self.next();
            table.put(flag.key, Some(Plain::Boolean(flag.value)));
            return Ok(true);
        }
        if let Some((path, text)) = word.split_once('=') {
            let key = find(&form.keys, root(path));
            let own = key.is_some_and(|key| path.contains('.') || !has(table, key));
            if own {
                self.next();
                set(table, &form.keys, path, text)?;
            }
            return Ok(own);
        }
        if let Some(key) = find(&form.keys, word).filter(|key| !has(table, key))
            && (self.rest.len() > 1 || matches!(key.form, Form::Boolean))
        {
            self.next();
            let item = self.named(key)?;
            table.put(key.key, Some(item));
            return Ok(true);
        }
        Ok(!self.is_another(word) && self.unnamed(form, table))
    }

    /// The value of a key that has just been named.
    fn named(&mut self, key: &KeyForm) -> Result<Plain, Diagnostic> {
        match &key.form {
            Form::Boolean => {
                let said = self.peek().and_then(boolean);
                said.map(|_| self.next());
                Ok(Plain::Boolean(said.unwrap_or(true)))
            }
            form if table_in(form).is_some() => self.item(key, &Spoken::PLAIN),
            form => Ok(value(form, self.next().unwrap_or_default())),
        }
    }

    /// Takes a value without its key: for the first missing key that accepts it, those with a
    /// particular look and those that are required first.
    fn unnamed(&mut self, form: &TableForm, table: &mut PlainTable) -> bool {
        let Some(word) = self.peek() else { return false };
        let mut missing: Vec<_> = form.keys.iter().filter(|key| !has(table, key)).collect();
        missing.sort_by_key(|key| (!is_particular(&key.form), !key.required));
        if let Some((hba, port)) = word.split_once(':').and_then(|(hba, port)| {
            let number = numbered("hba", hba)?;
            Some((number, port))
        }) && let [Some(of_hba), Some(of_port)] =
            ["hba", "port"].map(|name| missing.iter().find(|key| key.key == name))
        {
            self.next();
            table.put(of_hba.key, Some(value(&of_hba.form, hba)));
            table.put(of_port.key, Some(value(&of_port.form, port)));
            return true;
        }
        for key in missing {
            if let Form::List(item) = &key.form
                && let Form::Table(item) = &**item
                && let Some(items) = self.rows(item)
            {
                table.put(key.key, Some(Plain::List(items)));
                return true;
            }
            let text = numbered(key.key, word).unwrap_or(word);
            if accepts(&key.form, text) {
                self.next();
                table.put(key.key, Some(value(&key.form, text)));
                return true;
            }
        }
        false
    }

    /// Takes the tables of a list as the values of their required keys, one after the other; `None`
    /// if no table comes next.
    fn rows(&mut self, form: &TableForm) -> Option<Vec<Plain>> {
        let keys: Vec<_> = form.keys.iter().filter(|key| key.required).collect();
        let mut rows = Vec::new();
        while !keys.is_empty()
            && self.rest.len() >= keys.len()
            && keys.iter().zip(self.rest).all(|(key, word)| accepts(&key.form, word))
        {
            let mut row = PlainTable::default();
            for key in &keys {
                let text = self.next().unwrap_or_default();
                row.put(key.key, Some(value(&key.form, text)));
            }
            rows.push(Plain::Table(row));
        }
        (!rows.is_empty()).then_some(rows)
    }
}
