//! The runs of one scenario, compared by what their time allows.

use sansim_report::{
    exactness::Exactness,
    repeat::{Bytes, Ended, Repeat, Stories},
    verdict::Verdict,
};
use sansim_run::{Finished, RunError, directory::EVENTS};

/// Compares the runs of one scenario with one seed.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// In exact time, by every byte.
    Bytes(Bytes),
    /// In real time, by what they told.
    Stories(Box<Stories>),
}

impl Comparison {
    /// A comparison of runs that are exact, or not.
    pub(crate) fn new(exactness: Exactness) -> Self {
        match exactness {
            Exactness::Exact => Comparison::Bytes(Bytes::default()),
            Exactness::Loose(_) => Comparison::Stories(Box::default()),
        }
    }

    /// Takes a run that has ended, and its trace out of it; `number` is 1 for the first one.
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

    /// How they compare; none if there are not two. Of exact runs the files are read now.
    pub(crate) fn finish(self) -> Option<Repeat> {
        match self {
            Comparison::Bytes(bytes) => bytes.finish(),
            Comparison::Stories(stories) => stories.finish(),
        }
    }
}

/// What a run left for a comparison of bytes. A lab that failed may have failed anywhere, by the host's
/// time.
fn ended(result: &Result<Finished, RunError>) -> Ended {
    match result {
        Err(error) => Ended::Failed(error.to_string()),
        Ok(Finished { summary, .. }) if summary.verdict == Verdict::Error => {
            Ended::Failed(summary.reason.clone().unwrap_or_else(|| "the lab failed".to_owned()))
        }
        Ok(Finished { recorded, .. }) => Ended::Events(recorded.directory.join(EVENTS)),
    }
}
