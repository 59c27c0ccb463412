//! Who is told while runs are going on.

use std::path::PathBuf;

use super::Finished;
use crate::event::Event;

/// Which run of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    /// Its place in the suite, from 0.
    pub index: usize,
    /// The scenario's name.
    pub name: String,
    /// The scenario's file.
    pub file: PathBuf,
    /// The guest image.
    pub image: String,
}

/// Is told what happens in the runs of a suite, from several threads.
pub trait Sink: Send + Sync {
    /// A run has come to a new stage: booting, discovery, ….
    fn stage(&self, run: &RunId, stage: &str);

    /// Something happened in a run.
    fn event(&self, run: &RunId, event: &Event);

    /// A run has its verdict.
    fn finished(&self, run: &RunId, finished: &Finished);
}
