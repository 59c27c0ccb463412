//! `--json`: one event a line on standard output.

use std::io::Write;

use sansim_scenario::{
    event::Event,
    run::{Finished, RunId, Sink},
};
use serde::Serialize;

/// Prints events as they happen, with the name of their scenario and image.
pub(super) struct Json;

#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    image: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl Sink for Json {
    fn stage(&self, _run: &RunId, _stage: &str) {}

    fn event(&self, run: &RunId, event: &Event) {
        let line = Line { scenario: &run.name, image: &run.image, event };
        if let Ok(mut text) = serde_json::to_string(&line) {
            text.push('\n');
            // A reader that has gone away is no reason to stop the runs.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
        }
    }

    fn finished(&self, _run: &RunId, _finished: &Finished) {}
}
