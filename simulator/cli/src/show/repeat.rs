//! How runs of the same compare, in words.

use std::fmt::Write;

use console::style;
use sansim_scenario::{repeat::Repeat, run::RunId};

/// A line that says whether they agree, and three that say in what.
pub(super) fn text(run: &RunId, repeat: &Repeat) -> String {
    let word = match repeat.is_whole() {
        true => style("agree  ").green(),
        false => style("differ ").yellow(),
    };
    let runs = style(format!("{} runs with the same seed", repeat.runs)).dim();
    let mut text = format!("{word}  {}  {runs}\n", style(&run.name).bold());
    for line in repeat.to_string().lines() {
        let _ = writeln!(text, "         {}", style(line).dim());
    }
    text
}
