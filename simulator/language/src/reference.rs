//! The reference of the scenario language, as a Markdown page of the documentation.

use std::fmt::{self, Write};

use crate::{
    expect,
    fault::effects,
    file::File,
    form::{Form, KeyForm, Table, TableForm},
    step,
};

/// The page: every table with its keys, and every word with an example.
pub fn reference() -> String {
    let mut page = Page::default();
    // Writing to a `String` does not fail.
    let _ = page.write();
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    /// The tables that have been described, by name.
    done: Vec<&'static str>,
    /// The tables that have been mentioned but not described yet.
    open: Vec<TableForm>,
    /// The choices that have been mentioned, with their words.
    choices: Vec<Form>,
}

impl Page {
    fn write(&mut self) -> fmt::Result {
        self.text.push_str(HEAD);
        writeln!(self.text, "\n## The file\n\n{}\n", File::ABOUT.trim())?;
        self.keys(&File::keys())?;
        while !self.open.is_empty() {
            let table = self.open.remove(0);
            self.table(&table)?;
        }
        self.words("Steps, by word", step::actions())?;
        self.words("Events, for `on`", step::events())?;
        self.words("Effects, for `then`", effects())?;
        self.words("Conditions, for `[[expect]]`", expect::conditions())?;
        self.choices()
    }

    fn table(&mut self, table: &TableForm) -> fmt::Result {
        if self.done.contains(&table.title()) {
            return Ok(());
        }
        self.done.push(table.title());
        writeln!(self.text, "\n## {}\n\n{}\n", table.title(), table.about.trim())?;
        self.keys(&table.keys)
    }

    fn keys(&mut self, keys: &[KeyForm]) -> fmt::Result {
        writeln!(self.text, "| Key | Value | |\n|---|---|---|")?;
        for key in keys {
            let value = self.value(&key.form);
            let required = if key.required { "**Required.** " } else { "" };
            let about = key.about.replace('|', "\\|");
            writeln!(self.text, "| `{}` | {value} | {required}{about} |", key.key)?;
        }
        Ok(())
    }

    /// A short description of a value. Tables and choices are described further down on the page.
    fn value(&mut self, form: &Form) -> String {
        match form {
            Form::Boolean => "true or false".into(),
            Form::Whole => "whole number".into(),
            Form::Number => "number".into(),
            Form::Text => "string".into(),
            Form::Pattern { expected, .. } => expected.replace('|', "\\|"),
            Form::Words { name, words, .. } => {
                let known =
                    |form: &Form| matches!(form, Form::Words { name: it, .. } if it == name);
                if !self.choices.iter().any(known) {
                    self.choices.push(form.clone());
                }
                let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.word)).collect();
                words.join(", ")
            }
            Form::Table(table) => {
                self.open.push(table.clone());
                format!("[{0}](#{1})", table.title(), table.title().to_lowercase())
            }
            Form::List(item) => format!("list: {}", self.value(item)),
            Form::Map(value) => format!("table of names: {}", self.value(value)),
            Form::Either(forms) => {
                let forms: Vec<_> = forms.iter().map(|form| self.value(form)).collect();
                forms.join(", or ")
            }
        }
    }

    fn words(
        &mut self,
        title: &str,
        words: impl Iterator<Item = (Vec<KeyForm>, &'static str)>,
    ) -> fmt::Result {
        writeln!(self.text, "\n## {title}\n\n| Word | Example | |\n|---|---|---|")?;
        for (keys, example) in words {
            let Some(word) = keys.first() else { continue };
            let (example, about) = (example.replace('|', "\\|"), word.about.replace('|', "\\|"));
            writeln!(self.text, "| `{}` | `{example}` | {about} |", word.key)?;
        }
        Ok(())
    }

    fn choices(&mut self) -> fmt::Result {
        writeln!(self.text, "\n## Words to choose from")?;
        for choice in std::mem::take(&mut self.choices) {
            let Form::Words { about, words, .. } = choice else { continue };
            writeln!(self.text, "\n{}\n\n| | |\n|---|---|", about.trim())?;
            for word in words {
                writeln!(self.text, "| `{}` | {} |", word.word, word.about.trim())?;
            }
        }
        Ok(())
    }
}

const HEAD: &str = "\
# The scenario language: reference

Made by `sansim schema --reference`; do not edit. [scenarios.md](scenarios.md) teaches the language by examples.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_text;

    /// A scenario with everything that the examples refer to.
    const SAN: &str = r#"
title = "what examples refer to"

[[array]]
name = "east"
personality = "alua"
luns = [{ size = "256MiB", owner = "A" }]

[[array]]
name = "west"
personality = "alua"

[[fault]]
name = "not ready"
when = { op = "TEST UNIT READY" }
then = { hold = "gate" }

[[step]]
name = "crash"
at = "1s"
release = "gate"

[[step]]
name = "ask"
at = "1s"
run = ["true"]

[[step]]
at = "1s"
map = { size = "64MiB", owner = "B", lun = 5 }
"#;

    fn check(tables: String, example: &str) {
        if let Err(wrong) = load_text("example", &format!("{SAN}\n{tables}\n"), &[]) {
            panic!("{example}: {wrong}");
        }
    }

    #[test]
    fn every_example_is_right() {
        for (_, example) in step::actions() {
            check(format!("[[step]]\nat = \"2s\"\n{example}"), example);
        }
        for (_, example) in step::events() {
            check(format!("[[step]]\non = {{ {example} }}\nend = true"), example);
        }
        for (keys, example) in effects() {
            let when = match keys[0].key {
                "function" => "task_management = \"any\"",
                _ => "op = \"READ\"",
            };
            check(format!("[[fault]]\nwhen = {{ {when} }}\nthen = {{ {example} }}"), example);
        }
        for (_, example) in expect::conditions() {
            check(format!("[[expect]]\n{example}"), example);
        }
    }
}
