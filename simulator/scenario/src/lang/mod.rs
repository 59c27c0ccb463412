//! The scenario language: TOML files in, checked scenarios or good error messages out.
//!
//! [`file`] holds the tables as they are written, [`plan`] what they mean. [`load`] gets from one to
//! the other and says everything that is wrong on the way, with file, line and a caret under the
//! word. [`resolved_toml`] goes back, with every default spelled out.

mod diagnostics;
pub mod plan;
pub mod value;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use plan::Scenario;
