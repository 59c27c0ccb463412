//! The types of values in a scenario. Each one is parsed from text, printed in the same notation,
//! and describes what it accepts.

mod compare;
mod delay;
mod duration;
mod size;
mod spanned;
mod version;

pub use compare::{Bound, Comparison, Quantity, Relation};
pub(crate) use delay::DelayTime;
pub use duration::TimeSpan;
pub use size::Size;
pub use spanned::At;
pub use version::{VersionRange, release_order};

/// Splits a text into its leading number and the unit after it, both trimmed.
fn split_number(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}
