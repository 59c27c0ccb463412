//! Everything that is printed.

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
use sansim_report::totals::Totals;
use sansim_run::Sink;

/// A line on standard error that says what went wrong.
pub(crate) fn error(text: &str) {
    eprintln!("{} {text}", style("error:").red().bold().for_stderr());
}

/// Mistakes in scenario files, with file, line and caret.
pub(crate) fn diagnostics(diagnostics: &Diagnostics) {
    let width = usize::from(console::Term::stderr().size().1).clamp(60, 120);
    eprint!("{}", diagnostics.render(width, console::colors_enabled_stderr()));
}

/// How runs are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Events as JSON, and nothing else, on standard output.
    pub(crate) json: bool,
    /// Print the timeline of every run, not only of those that do not pass.
    pub(crate) timelines: bool,
    /// Print where the time went, after every run and after the last one.
    pub(crate) timings: bool,
}

/// The sink that fits where standard output and standard error go.
pub(crate) fn sink(style: Style) -> Arc<dyn Sink> {
    if style.json {
        Arc::new(json::Json { timings: style.timings })
    } else if std::io::stderr().is_terminal() {
        Arc::new(terminal::Terminal::new(style))
    } else {
        Arc::new(lines::Lines::new(style))
    }
}

/// One that prints lines, wherever they go: others may print, too.
pub(crate) fn plain(style: Style) -> Arc<dyn Sink> {
    Arc::new(lines::Lines::new(style))
}

/// Lines of a result, after an empty one.
pub(crate) fn print_lines(lines: &[String]) {
    println!("\n{}", lines.join("\n"));
}

/// Where the time of a suite went.
pub(crate) fn print_timings(totals: &Totals, json: bool) {
    if json {
        json::totals(totals);
    } else {
        print!("{}", timings::of_suite(totals));
    }
}

/// Progress of what belongs to no run, a line each on standard error.
pub(crate) struct Announce {
    bar: indicatif::ProgressBar,
}

impl Announce {
    /// Shows a spinner on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        let bar = indicatif::ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Announce { bar }
    }
}

impl Progress for Announce {
    fn stage(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.set_message(text.to_owned());
        }
    }
}

impl Drop for Announce {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
