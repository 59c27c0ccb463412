//! Values that are said in one word.

use regex::Regex;
use toml::de::DeValue;

use crate::{
    form::{Form, Plain},
    inline,
};

/// Whether a value of this form can be said so.
pub(super) fn accepts(form: &Form, text: &str) -> bool {
    match form {
        Form::Boolean => boolean(text).is_some(),
        Form::Whole => text.parse::<u64>().is_ok(),
        Form::Number => text.parse::<f64>().is_ok(),
        Form::Text => true,
        Form::Pattern { pattern, .. } => Regex::new(pattern).is_ok_and(|it| it.is_match(text)),
        Form::Words { words, .. } => words.iter().any(|word| word.word == text),
        Form::Either(forms) => forms.iter().any(|form| accepts(form, text)),
        Form::Table(_) | Form::List(_) | Form::Map(_) => literal(text).is_some(),
    }
}

/// Whether a value of this form can be told from other values by how it looks.
pub(super) fn is_particular(form: &Form) -> bool {
    match form {
        Form::Text => false,
        Form::Pattern { pattern, .. } => pattern != "^.+$",
        _ => true,
    }
}

/// The value that is said. What the form does not accept becomes text, so that the reader reports
/// it.
pub(super) fn value(form: &Form, text: &str) -> Plain {
    match form {
        Form::Boolean => boolean(text).map(Plain::Boolean),
        Form::Whole => text.parse().ok().map(Plain::Whole),
        Form::Number => text.parse().ok().map(Plain::Number),
        Form::Either(forms) => {
            let form = forms.iter().find(|form| accepts(form, text));
            form.map(|form| value(form, text))
        }
        Form::List(item) => literal(text).or_else(|| {
            let items = text.split(',').map(|part| value(item, part.trim()));
            (!matches!(**item, Form::Table(_))).then(|| Plain::List(items.collect()))
        }),
        Form::Table(_) | Form::Map(_) => literal(text),
        Form::Text | Form::Pattern { .. } | Form::Words { .. } => None,
    }
    .unwrap_or_else(|| Plain::Text(text.to_owned()))
}

/// A boolean, as TOML or as people say it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A list or a table in TOML.
fn literal(text: &str) -> Option<Plain> {
    let parsed = text.starts_with(['[', '{']).then(|| DeValue::parse(text).ok()).flatten()?;
    Some(inline::plain(parsed.get_ref()))
}

/// A value in one word, which [`value`] turns into the same value again.
pub(super) fn text(value: &Plain) -> String {
    match value {
        Plain::Text(text) => text.clone(),
        Plain::List(items) => {
            let simple = |item: &Plain| match item {
                Plain::Text(text) => {
                    !text.contains(',') && text.trim() == text && !text.starts_with(['[', '{'])
                }
                item => !matches!(item, Plain::List(_) | Plain::Table(_)),
            };
            match !items.is_empty() && items.iter().all(simple) {
                true => items.iter().map(text).collect::<Vec<_>>().join(","),
                false => inline::value(value),
            }
        }
        value => inline::value(value),
    }
}
