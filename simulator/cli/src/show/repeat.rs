//! The comparison of repeated runs, in words.

use std::fmt::Write;

use console::style;
use sansim_report::repeat::{Compared, Repeat};
use sansim_run::RunId;

/// One line for the result, then lines for what was compared and where the runs first differ.
pub(super) fn text(run: &RunId, repeat: &Repeat) -> String {
    let word = match &repeat.compared {
        Compared::Bytes(exact) if exact.is_whole() => style("identical").green(),
        Compared::Bytes(exact) if exact.differences.is_empty() => style("unproven").yellow(),
        Compared::Bytes(_) => style("differ ").red().bold(),
        Compared::Stories(loose) if loose.is_whole() => style("agree  ").green(),
        Compared::Stories(_) => style("differ ").yellow(),
    };
    let runs = style(format!("{} runs with the same seed", repeat.runs)).dim();
    let mut text = format!("{word}  {}  {runs}\n", style(&run.name).bold());
    for line in repeat.to_string().lines() {
        let _ = writeln!(text, "         {}", style(line).dim());
    }
    text
}
