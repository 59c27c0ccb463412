//! `--json`: one event per line on standard output.

use sansim_report::repeat::Repeat;
use sansim_report::timings::{CpuSummary, Timings};
use sansim_report::totals::Totals;
use sansim_report::unjudged::{How, Unjudged};
use sansim_run::{Finished, RunId, Sink};
use sansim_stage::event::Event;
use serde::Serialize;

/// Prints each event as it happens, with the names of scenario and image.
pub(super) struct Json {
    /// Also print a line with the time of each part, after every run.
    pub(super) timings: bool,
}

/// A line about a run.
#[derive(Serialize)]
struct Line<'a, T> {
    scenario: &'a str,
    image: &'a str,
    /// Number of the run with `--repeat`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<u32>,
    #[serde(flatten)]
    what: T,
}

/// Lines other than the events of a story.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Beside<'a> {
    /// After a run's last event.
    Timings { t: f64, wall_s: f64, timings: Timings, cpu_s: CpuSummary },
    /// After the last of several runs of the same scenario and seed.
    Repeat {
        #[serde(flatten)]
        repeat: &'a Repeat,
    },
    /// After the last run, for each that has no verdict.
    NoVerdict { how: How, reason: &'a str },
    /// After the last run.
    Totals {
        #[serde(flatten)]
        totals: &'a Totals,
    },
}

impl Sink for Json {
    fn stage(&self, _run: &RunId, _stage: &str) {}

    fn event(&self, run: &RunId, event: &Event) {
        about(run, event);
    }

    fn finished(&self, run: &RunId, finished: &Finished) {
        if self.timings {
            let summary = &finished.summary;
            let (t, wall_s) = (summary.simulated_s, summary.wall_s);
            let (timings, cpu_s) = (summary.timings, summary.cpu_s);
            about(run, Beside::Timings { t, wall_s, timings, cpu_s });
        }
    }

    fn repeated(&self, run: &RunId, repeat: &Repeat) {
        let (scenario, image) = (&run.name, &run.image);
        print(&Line { scenario, image, run: None, what: Beside::Repeat { repeat } });
    }
}

/// The line after the last run.
pub(super) fn totals(totals: &Totals) {
    print(&Beside::Totals { totals });
}

/// The lines about runs without a verdict.
pub(super) fn unjudged(runs: &[Unjudged]) {
    for Unjudged { scenario, image, run, how, reason } in runs {
        let what = Beside::NoVerdict { how: *how, reason };
        print(&Line { scenario, image, run: *run, what });
    }
}

fn about(run: &RunId, what: impl Serialize) {
    let number = run.repetition.map(|repetition| repetition.number);
    print(&Line { scenario: &run.name, image: &run.image, run: number, what });
}

fn print(line: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(line) {
        // If nobody reads, the runs continue.
        out!("{text}\n");
    }
}
