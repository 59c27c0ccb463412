//! The sources of a scenario: a file, and the values that the command line overrides.

use std::{borrow::Cow, fmt, ops::Range, str::FromStr, sync::Arc};

use miette::NamedSource;
use sansim_stage::{visible, visible_in_place};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{Diagnostic, Diagnostics};

/// A value that the command line sets: `guest.image=trixie`, `fault.0.then.delay=5s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    key: String,
    value: String,
}

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not of the form key=value, such as guest.cpus=2");
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if key.split('.').any(str::is_empty) {
            return Err(wrong());
        }
        Ok(Set { key, value })
    }
}

impl Set {
    /// The value, if it is for this key.
    pub(super) fn value_of(&self, key: &str) -> Option<&str> {
        (self.key == key).then_some(self.value.trim_matches('"'))
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// The text of a model, and its name in diagnostics.
#[derive(Debug)]
pub(crate) struct ModelText {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The texts that a scenario consists of, concatenated: a byte offset identifies both the text and
/// the position in it.
pub(super) struct Sources(Vec<(usize, Arc<NamedSource<String>>)>);

impl Sources {
    pub(super) fn new<'m>(
        name: &str,
        text: &str,
        sets: &[Set],
        models: impl IntoIterator<Item = &'m ModelText>,
    ) -> Self {
        let mut sources = vec![(0, named(name, text).with_language("TOML"))];
        let mut start = text.len() + 1;
        for set in sets {
            let text = set.to_string();
            sources.push((start, named("--set", &text)));
            start += text.len() + 1;
        }
        for model in models {
            sources.push((start, named(&model.name, &model.text).with_language("TOML")));
            start += model.text.len() + 1;
        }
        Sources(sources.into_iter().map(|(start, source)| (start, Arc::new(source))).collect())
    }

    /// A text that is parsed in braces: the offsets are those of the text with its braces.
    pub(super) fn in_braces(name: &str, text: &str) -> Self {
        Sources(vec![(1, Arc::new(named(name, text).with_language("TOML")))])
    }

    /// Attaches a diagnostic to the text that contains `span`.
    pub(super) fn place(&self, diagnostic: Diagnostic, span: &Range<usize>) -> Diagnostic {
        let index = self.0.partition_point(|(start, _)| *start <= span.start).saturating_sub(1);
        let (start, source) = &self.0[index];
        let text = source.inner();
        let begin = span.start.saturating_sub(*start).min(text.len());
        let end = span.end.saturating_sub(*start).clamp(begin, text.len());
        diagnostic.at(Arc::clone(source), begin..first_line(text, begin, end))
    }

    /// The offset at which the text of a model begins, `sets` being the number of overrides before the models.
    pub(super) fn start_of_model(&self, sets: usize, model: usize) -> usize {
        self.0.get(1 + sets + model).map_or(0, |(start, _)| *start)
    }

    /// The offset at which the text of an override begins.
    pub(super) fn start_of_set(&self, index: usize) -> usize {
        self.0[index + 1].0
    }
}

fn named(name: &str, text: &str) -> NamedSource<String> {
    // It is shown on terminals.
    NamedSource::new(visible(name), visible_in_place(text).into_owned())
}

/// The end of a span, limited to its first line, because a caret under many lines is not useful.
fn first_line(text: &str, begin: usize, end: usize) -> usize {
    let Some(part) = text.get(begin..end) else { return begin };
    begin + part.find('\n').map_or(part.len(), |newline| part[..newline].trim_end().len())
}

/// Applies the overrides of the command line to a parsed file.
pub(super) fn apply<'t>(root: &mut DeTable<'t>, sets: &'t [Set], sources: &Sources) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for (index, set) in sets.iter().enumerate() {
        let start = sources.start_of_set(index);
        let key_span = start..start + set.key.len();
        let value_start = key_span.end + 1;
        // A value that is not valid TOML, like 5s or trixie, is a string whose quotes the shell has
        // removed.
        let value = match DeValue::parse(&set.value) {
            Ok(value) => shift(value, value_start),
            Err(_) => {
                let span = value_start..value_start + set.value.len();
                Spanned::new(span, DeValue::String(Cow::Borrowed(&set.value)))
            }
        };
        let steps: Vec<&str> = set.key.split('.').collect();
        if let Err(why) = insert(root, &steps, &key_span, value) {
            diagnostics.push(sources.place(Diagnostic::error(why), &key_span));
        }
    }
    diagnostics
}

/// Adds the keys of the model that an array does not have itself. `array` is its place in the list of arrays, if
/// there is a list; the model's text begins at `start`.
pub(super) fn complete<'t>(
    root: &mut DeTable<'t>,
    array: Option<usize>,
    model: &'t str,
    start: usize,
) -> Result<(), (String, Range<usize>)> {
    let parsed = DeTable::parse(model).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        (error.message().to_owned(), span.start + start..span.end + start)
    })?;
    let span = parsed.span();
    let model = shift(Spanned::new(span, DeValue::Table(parsed.into_inner())), start);
    let given = root.get_mut("array").map(Spanned::get_mut);
    let array = match (given, array) {
        (Some(DeValue::Array(several)), Some(at)) => several.get_mut(at).map(Spanned::get_mut),
        (given, _) => given,
    };
    if let (Some(DeValue::Table(array)), DeValue::Table(mut model)) = (array, model.into_inner()) {
        model.remove("description");
        fill_in(array, model);
    }
    Ok(())
}

/// Adds missing entries to a table and, recursively, to its subtables.
fn fill_in<'t>(table: &mut DeTable<'t>, defaults: DeTable<'t>) {
    for (key, default) in defaults {
        match (table.get_mut(&**key.get_ref()).map(Spanned::get_mut), default) {
            (None, default) => drop(table.insert(key, default)),
            (Some(DeValue::Table(inner)), default) => {
                if let DeValue::Table(defaults) = default.into_inner() {
                    fill_in(inner, defaults);
                }
            }
            (Some(_), _) => {}
        }
    }
}

/// Shifts the spans of a separately parsed value to the offset of its text.
fn shift(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let moved = |span: Range<usize>| span.start + by..span.end + by;
    let span = moved(value.span());
    let inner = match value.into_inner() {
        DeValue::Array(items) => {
            DeValue::Array(items.into_iter().map(|item| shift(item, by)).collect())
        }
        DeValue::Table(table) => {
            let entries = table.into_iter().map(|(key, item)| {
                (Spanned::new(moved(key.span()), key.into_inner()), shift(item, by))
            });
            DeValue::Table(entries.collect())
        }
        plain => plain,
    };
    Spanned::new(span, inner)
}

/// Inserts a value at a path of keys and creates missing tables. List entries are addressed by
/// index from 0, or by their `name`.
fn insert<'t>(
    table: &mut DeTable<'t>,
    steps: &[&'t str],
    span: &Range<usize>,
    value: Spanned<DeValue<'t>>,
) -> Result<(), String> {
    let [key, rest @ ..] = steps else { return Ok(()) };
    let spanned_key = || Spanned::new(span.clone(), Cow::Borrowed(*key));
    if rest.is_empty() {
        table.remove(*key);
        table.insert(spanned_key(), value);
        return Ok(());
    }
    if !table.contains_key(*key) {
        let empty = Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
        table.insert(spanned_key(), empty);
    }
    let Some(mut place) = table.get_mut(*key).map(Spanned::get_mut) else { return Ok(()) };
    let mut rest = rest;
    while let DeValue::Array(items) = place {
        let [which, more @ ..] = rest else { return Err(format!("{key} is a list")) };
        let index = position(items, which)
            .ok_or_else(|| format!("{key} has no entry {which:?}, of {}", items.len()))?;
        let Some(item) = items.get_mut(index) else { return Ok(()) };
        if more.is_empty() {
            *item = value;
            return Ok(());
        }
        place = item.get_mut();
        rest = more;
    }
    match place {
        DeValue::Table(inner) => insert(inner, rest, span, value),
        _ => Err(format!("{key} is neither a table nor a list")),
    }
}

/// The index of the entry with this index or `name`.
fn position(items: &toml::de::DeArray<'_>, which: &str) -> Option<usize> {
    if let Ok(index) = which.parse::<usize>() {
        return (index < items.len()).then_some(index);
    }
    items.iter().position(|item| {
        item.get_ref().get("name").and_then(|name| name.get_ref().as_str()) == Some(which)
    })
}
