//! Compares repeated runs of one scenario: by bytes in exact time, by stories in real time.

use sansim_report::{
    exactness::Exactness,
    repeat::{Bytes, Ended, Repeat, Stories},
    verdict::Verdict,
};
use sansim_run::{Finished, RunError, directory::EVENTS};

/// The comparison of repeated runs of one scenario with one seed.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// For runs in exact time: every byte of the events.
    Bytes(Bytes),
    /// For runs in real time: commands and events, without times.
    Stories(Box<Stories>),
}

impl Comparison {
    /// The kind of comparison for runs with this exactness.
    pub(crate) fn new(exactness: Exactness) -> Self {
        match exactness {
            Exactness::Exact => Comparison::Bytes(Bytes::default()),
            Exactness::Loose(_) => Comparison::Stories(Box::default()),
        }
    }

    /// Adds a run that has ended, and takes its trace; `number` is 1 for the first run.
    pub(crate) fn add(&mut self, number: u32, result: &mut Result<Finished, RunError>) {
        match self {
            Comparison::Bytes(bytes) => bytes.add(number, ended(result)),
            Comparison::Stories(stories) => {
                let finished = result.as_mut().ok();
                if let Some(trace) = finished.and_then(|finished| finished.recorded.trace.take()) {
                    stories.add(number, trace);
                }
            }
        }
    }

    /// The result; `None` for fewer than two runs. For exact runs, this reads their files.
    pub(crate) fn finish(self) -> Option<Repeat> {
        match self {
            Comparison::Bytes(bytes) => bytes.finish(),
            Comparison::Stories(stories) => stories.finish(),
        }
    }
}

/// What a run left for a comparison of bytes: nothing if the lab failed, which may happen at any moment of the
/// story.
fn ended(result: &Result<Finished, RunError>) -> Ended {
    match result {
        Err(error) => Ended::Failed(error.to_string()),
        Ok(Finished { summary, .. }) if summary.verdict == Verdict::Error => {
            Ended::Failed(summary.reason.clone().unwrap_or_else(|| "the lab failed".to_owned()))
        }
        Ok(Finished { recorded, .. }) => Ended::Events(recorded.directory.join(EVENTS)),
    }
}
