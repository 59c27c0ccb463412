//! Output on the terminal.

#[macro_use]
pub(crate) mod out;

mod json;
mod lines;
mod matrix;
mod repeat;
mod result;
mod terminal;
mod timings;

use std::{io::IsTerminal, sync::Arc};

use console::style;
pub(crate) use matrix::print_matrix;
pub(crate) use result::print_totals;
use sansim_lab::Progress;
use sansim_language::Diagnostics;
use sansim_report::{totals::Totals, unjudged::Unjudged};
use sansim_run::Sink;
use sansim_stage::visible;

/// Prints an error message on standard error.
pub(crate) fn error(text: &str) {
    let text = visible(text);
    errln!("{} {text}", style("error:").red().bold().for_stderr());
}

/// Prints a remark on standard error.
pub(crate) fn note(text: &str) {
    errln!("{} {text}", style("note:").bold().for_stderr());
}

/// Prints errors in scenario files, each with file, line and caret.
pub(crate) fn diagnostics(diagnostics: &Diagnostics) {
    let width = usize::from(console::Term::stderr().size().1).clamp(60, 120);
    err!("{}", diagnostics.render(width, console::colors_enabled_stderr()));
}

/// What to print of runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Only events, as JSON, on standard output.
    pub(crate) json: bool,
    /// The timeline of every run, not only of those that fail.
    pub(crate) timelines: bool,
    /// The time of each part, after every run and in total.
    pub(crate) timings: bool,
}

/// The right sink for this style, and for a terminal or a pipe on standard error.
pub(crate) fn sink(style: Style) -> Arc<dyn Sink> {
    if style.json {
        Arc::new(json::Json { timings: style.timings })
    } else if std::io::stderr().is_terminal() {
        Arc::new(terminal::Terminal::new(style))
    } else {
        Arc::new(lines::Lines::new(style))
    }
}

/// A sink that prints plain lines even on a terminal, so that other output can be mixed in.
pub(crate) fn plain(style: Style) -> Arc<dyn Sink> {
    Arc::new(lines::Lines::new(style))
}

/// Prints an empty line, then these lines.
pub(crate) fn print_lines(lines: &[String]) {
    outln!("\n{}", lines.join("\n"));
}

/// Prints a line of JSON for each run without a verdict.
pub(crate) fn print_unjudged(runs: &[Unjudged]) {
    json::unjudged(runs);
}

/// Prints the total time of each part of all runs.
pub(crate) fn print_timings(totals: &Totals, json: bool) {
    if json {
        json::totals(totals);
    } else {
        out!("{}", timings::of_suite(totals));
    }
}

/// Has a bar on a terminal spin. indicatif has a thread for that, and panics where the host has none left.
pub(crate) fn spin(bar: &indicatif::ProgressBar) {
    let has_threads = || std::thread::Builder::new().spawn(|| {}).is_ok();
    if !bar.is_hidden() && has_threads() {
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
    }
}

/// Progress messages outside a run, for instance while an image is built.
pub(crate) struct Announce {
    bar: indicatif::ProgressBar,
}

impl Announce {
    /// Shows a spinner on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        let bar = indicatif::ProgressBar::new_spinner();
        spin(&bar);
        Announce { bar }
    }
}

impl Progress for Announce {
    fn stage(&self, text: &str) {
        if self.bar.is_hidden() {
            errln!("{text}");
        } else {
            self.bar.set_message(visible(text).into_owned());
        }
    }
}

impl Drop for Announce {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
