//! The JSON Schema of scenario files, for editors.

use serde_json::{Map, Value as Json, json};

use crate::{
    file::File,
    form::{Form, KeyForm, Table, TableForm},
};

/// The schema as pretty-printed JSON with a trailing newline, as in `scenarios/schema.json`.
///
/// # Panics
/// Never: a schema can always be serialised.
pub fn schema() -> String {
    let mut definitions = Definitions::default();
    let mut root = definitions.table(&File::keys(), File::ABOUT);
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), "sansim scenario".into());
    root.insert("required".into(), json!(["title", "array"]));
    root.insert("$defs".into(), Json::Object(definitions.0));
    let mut text = serde_json::to_string_pretty(&root).expect("a schema is plain data");
    text.push('\n');
    text
}

/// The named definitions (`$defs`) of the schema.
#[derive(Default)]
struct Definitions(Map<String, Json>);

impl Definitions {
    fn table(&mut self, keys: &[KeyForm], about: &str) -> Map<String, Json> {
        let properties: Map<String, Json> =
            keys.iter().map(|key| (key.key.to_owned(), self.key(key))).collect();
        let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.key).collect();
        let mut table = Map::new();
        table.insert("type".into(), "object".into());
        table.insert("description".into(), about.trim().into());
        table.insert("properties".into(), Json::Object(properties));
        table.insert("additionalProperties".into(), false.into());
        if !required.is_empty() {
            table.insert("required".into(), json!(required));
        }
        table
    }

    fn key(&mut self, key: &KeyForm) -> Json {
        let mut schema = self.form(&key.form);
        schema.insert("description".into(), key.about.as_str().into());
        Json::Object(schema)
    }

    fn form(&mut self, form: &Form) -> Map<String, Json> {
        let schema = match form {
            Form::Boolean => json!({ "type": "boolean" }),
            Form::Whole => json!({ "type": "integer", "minimum": 0 }),
            Form::Number => json!({ "type": "number" }),
            Form::Text => json!({ "type": "string" }),
            Form::Pattern { name, expected, pattern } => {
                let mut expected = (*expected).to_owned();
                if let Some(first) = expected.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                let own = json!({ "type": "string", "pattern": pattern, "description": expected });
                self.named(name, |_| object(own))
            }
            Form::Words { name, about, words } => {
                let words = words
                    .iter()
                    .map(|word| json!({ "const": word.word, "description": word.about.trim() }));
                let own =
                    json!({ "description": about.trim(), "oneOf": words.collect::<Vec<_>>() });
                self.named(name, |_| object(own))
            }
            Form::Table(table) => {
                let TableForm { about, keys, .. } = table;
                self.named(table.title(), |definitions| definitions.table(keys, about))
            }
            Form::List(item) => {
                json!({ "type": "array", "items": Json::Object(self.form(item)) })
            }
            Form::Map(value) => {
                json!({ "type": "object", "additionalProperties": Json::Object(self.form(value)) })
            }
            Form::Either(forms) => {
                let forms: Vec<_> =
                    forms.iter().map(|form| Json::Object(self.inline(form))).collect();
                json!({ "anyOf": forms })
            }
        };
        object(schema)
    }

    /// The schema of a form in place, without a named definition.
    fn inline(&mut self, form: &Form) -> Map<String, Json> {
        match form {
            Form::Pattern { pattern, .. } => {
                object(json!({ "type": "string", "pattern": pattern }))
            }
            form => self.form(form),
        }
    }

    /// A reference to a definition, which is created on first use.
    fn named(&mut self, name: &str, define: impl FnOnce(&mut Self) -> Map<String, Json>) -> Json {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Json::Null);
            let definition = define(self);
            self.0.insert(name.to_owned(), Json::Object(definition));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Collects every table and every choice by name, with its keys or words.
    fn collect(form: &Form, named: &mut BTreeMap<String, Vec<String>>) {
        let mut check = |name: &str, parts: Vec<String>| {
            let known = named.entry(name.to_owned()).or_insert_with(|| parts.clone());
            assert_eq!(*known, parts, "two different things are called {name}");
        };
        match form {
            Form::Table(table) => {
                let keys = table.keys.iter().map(|key| format!("{}: {}", key.key, key.about));
                check(table.title(), keys.collect());
                table.keys.iter().for_each(|key| collect(&key.form, named));
            }
            Form::Words { name, words, .. } => {
                check(name, words.iter().map(|word| word.word.to_owned()).collect());
            }
            Form::Pattern { name, pattern, .. } => check(name, vec![pattern.clone()]),
            Form::List(inner) | Form::Map(inner) => collect(inner, named),
            Form::Either(forms) => forms.iter().for_each(|form| collect(form, named)),
            Form::Boolean | Form::Whole | Form::Number | Form::Text => {}
        }
    }

    #[test]
    fn no_two_things_have_one_name() {
        let mut named = BTreeMap::new();
        File::keys().iter().for_each(|key| collect(&key.form, &mut named));
        assert!(named.len() > 50, "{named:?}");
    }
}
