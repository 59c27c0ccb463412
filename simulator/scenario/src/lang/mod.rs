//! The scenario language: TOML files in, checked scenarios or good error messages out.
//!
//! [`mod@file`] holds the tables as they are written, [`plan`] what they mean. [`load`] gets from one
//! to the other and says everything that is wrong on the way, with file, line and a caret under the
//! word. [`resolved_toml`] goes back, with every default spelled out.

mod beside;
mod check;
mod decode;
mod diagnostics;
pub mod file;
mod hex_dump;
pub mod model;
mod near;
mod placeholder;
pub mod plan;
mod resolved;
mod schema;
mod source;
pub mod value;

use std::path::Path;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use placeholder::{Piece, Placeholder, pieces, placeholder};
pub use plan::Scenario;
pub use resolved::resolved_toml;
pub use schema::schema;
pub use source::Set;

/// The longest scenario file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 20;

/// Reads and checks a scenario file, with what the command line sets over it.
///
/// # Errors
/// Everything that is wrong with it, warnings included; or that it cannot be read.
pub fn load(path: &Path, sets: &[Set]) -> Result<Scenario, Diagnostics> {
    let shown = path.display();
    let unreadable = |why: String| Diagnostic::error(format!("cannot read {shown}: {why}"));
    let length = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
    if length > MAX_FILE {
        return Err(unreadable(format!("it is longer than {MAX_FILE} bytes")).into());
    }
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    let mut scenario = load_text(&shown.to_string(), &text, sets)?;
    if let Some(stem) = path.file_stem() {
        scenario.name = stem.to_string_lossy().into_owned();
    }
    Ok(scenario)
}

/// Checks a scenario that is given as text; `name` is what diagnostics call it.
///
/// # Errors
/// Everything that is wrong with it, warnings included.
pub fn load_text(name: &str, text: &str, sets: &[Set]) -> Result<Scenario, Diagnostics> {
    let model = model::chosen(name, text, sets)?;
    let sources = source::Sources::new(name, text, sets, model.as_ref());
    let model = model.as_ref().map(|model| model.text.as_str());
    let file = decode::decode(text, sets, model, &sources)?;
    check::check(name, &file, &sources)
}
