//! The scenario language: reads TOML files, and returns checked scenarios or precise error
//! messages.
//!
//! [`load`] reads a file and reports every mistake in it, with file, line and a caret under the
//! word; [`resolved_toml`] writes a scenario back with every default spelled out. Every step,
//! event, effect and condition is a word in a file of its own, which contains everything that the
//! language knows about the word. The [JSON Schema](schema()) and the [reference](reference()) are
//! generated from the same declarations. The crate may import the array and the stage, whose setup,
//! acts and conditions make up a scenario.

#![forbid(unsafe_code)]

mod array;
mod beside;
mod check;
mod diagnostics;
mod document;
mod expect;
mod explore;
mod fault;
mod file;
mod form;
mod guest;
mod hba;
pub mod hex_dump;
mod inline;
pub mod model;
mod names;
mod near;
mod nexuses;
mod reference;
mod scenario;
mod schema;
mod short;
mod source;
pub mod spoken;
mod step;
mod story;
pub mod value;
mod vocabulary;
mod workload;

use std::path::Path;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use document::short_toml;
pub use expect::{Expectation, Expected, Expecting, Known, Ranges, Versions};
pub use explore::{Explore, Kind, Law};
pub use file::resolved_toml;
pub use reference::reference;
pub use scenario::{Ending, MayBeIdle, Scenario};
pub use schema::schema;
pub use source::Set;
pub use step::{OnEvent, Step, StepAction, Trigger};
pub use story::{Added, Deed, End, IoEnd, Lived, LunEnd, story};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
pub use vocabulary::{Checked, Vocabulary};

/// The maximum size of a scenario file, in bytes.
pub const MAX_FILE: u64 = 1 << 20;

/// Reads and validates a scenario file, with the values that the command line overrides.
///
/// # Errors
/// All mistakes and warnings, if there is a mistake or the file cannot be read.
pub fn load(path: &Path, sets: &[Set]) -> Result<Scenario, Diagnostics> {
    let shown = path.display();
    let unreadable = |why: String| Diagnostic::error(format!("cannot read {shown}: {why}"));
    let text = beside::read_file(path, MAX_FILE).map_err(|e| unreadable(e.to_string()))?;
    let mut scenario = load_text(&shown.to_string(), &text, sets)?;
    if let Some(stem) = path.file_stem() {
        scenario.name = stem.to_string_lossy().into_owned();
    }
    Ok(scenario)
}

/// Validates a scenario that is given as text. `name` is the file name for diagnostics.
///
/// # Errors
/// All mistakes and warnings, if there is a mistake.
pub fn load_text(name: &str, text: &str, sets: &[Set]) -> Result<Scenario, Diagnostics> {
    let models = model::chosen(name, text, sets)?;
    let sources = source::Sources::new(name, text, sets, models.iter().map(|it| &it.text));
    let (root, errors) = DeTable::parse_recoverable(text);
    // After the first TOML syntax error, further ones are usually consequences of it.
    if let Some(first) = errors.into_iter().min_by_key(|error| error.span().map(|s| s.start)) {
        let span = first.span().unwrap_or_default();
        return Err(sources.place(Diagnostic::error(first.message()), &span).into());
    }
    let span = root.span();
    let mut table = root.into_inner();
    let mut diagnostics = source::apply(&mut table, sets, &sources);
    for (index, model) in models.iter().enumerate() {
        let start = sources.start_of_model(sets.len(), index);
        let completed = source::complete(&mut table, model.array, &model.text.text, start);
        if let Err((why, span)) = completed {
            diagnostics.push(sources.place(Diagnostic::error(why), &span));
        }
    }
    let loaded = file::load(name, &Spanned::new(span, DeValue::Table(table)), &sources);
    match loaded {
        Ok(scenario) if diagnostics.is_empty() => Ok(scenario),
        Ok(_) => Err(diagnostics),
        Err(more) => {
            diagnostics.extend(more);
            diagnostics.sort();
            Err(diagnostics)
        }
    }
}
