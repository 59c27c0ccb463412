//! Output as plain lines, for logs and pipes.

use sansim_report::repeat::Repeat;
use sansim_run::{Finished, RunId, Sink};
use sansim_stage::event::Event;

use super::{Style, repeat, result};

/// Prints one line per stage on standard error, and the results on standard output.
pub(super) struct Lines {
    style: Style,
}

impl Lines {
    pub(super) fn new(style: Style) -> Self {
        Lines { style }
    }
}

impl Sink for Lines {
    fn stage(&self, run: &RunId, stage: &str) {
        errln!("{}: {stage}", run.label());
    }

    fn event(&self, _run: &RunId, _event: &Event) {}

    fn finished(&self, run: &RunId, finished: &Finished) {
        out!("{}", result::text(run, finished, self.style));
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        out!("{}", repeat::text(run, repeat));
    }
}
