//! The interface that receives progress and events of runs.

use std::path::PathBuf;

use sansim_lab::Hold;

use sansim_report::repeat::Repeat;
use sansim_stage::{Terminal, event::Event};

use crate::{Finished, Standing, Successor};

/// Identifies a run of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    /// Index in the suite, from 0.
    pub index: usize,
    /// The scenario's name: its file name without `.toml`.
    pub name: String,
    /// The scenario's file.
    pub file: PathBuf,
    /// The guest image's label.
    pub image: String,
    /// Whether the suite uses several images.
    pub among_images: bool,
    /// The number of the run with `--repeat`; `None` without it.
    pub repetition: Option<Repetition>,
}

/// The position of a run among repeated runs with the same scenario, image and seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// Index in the suite of the first run.
    pub group: usize,
    /// Number of this run, from 1.
    pub number: u32,
    /// Number of runs in all.
    pub of: u32,
}

impl RunId {
    /// The run's name in output: `stolen-lun (3 of 10)`, `stolen-lun on trixie`.
    pub fn label(&self) -> String {
        let image = if self.among_images { format!(" on {}", self.image) } else { String::new() };
        match self.repetition {
            None => format!("{}{image}", self.name),
            Some(Repetition { number, of, .. }) => {
                format!("{}{image} ({number} of {of})", self.name)
            }
        }
    }

    /// The run's name in its directory: `stolen-lun-run3`, `stolen-lun-trixie`.
    pub(crate) fn slug(&self) -> String {
        let image = if self.among_images { format!("-{}", self.image) } else { String::new() };
        match self.repetition {
            None => format!("{}{image}", self.name),
            Some(Repetition { number, .. }) => format!("{}{image}-run{number}", self.name),
        }
    }
}

/// Receives progress and events of the runs of a suite; called from several threads.
pub trait Sink: Send + Sync {
    /// A run enters a new stage: booting, discovery, ….
    fn stage(&self, run: &RunId, stage: &str);

    /// An event of a run, as it is written to `events.ndjson`.
    fn event(&self, run: &RunId, event: &Event);

    /// The story has reached the moment of [`RunSpec::until`](crate::RunSpec::until). If this returns a
    /// terminal, a shell in the guest replaces the rest of the story, and the run has no verdict.
    fn terminal(&self, _run: &RunId, _standing: &Standing) -> Option<Terminal> {
        None
    }

    /// Who takes the stage over at that moment, in place of the rest of the story. The run then has
    /// no verdict.
    fn successor(&self, _run: &RunId) -> Option<&dyn Successor> {
        None
    }

    /// The story has reached that moment, and neither a successor nor a terminal was returned. The guest is paused, or will be in a
    /// moment, until `hold` is dropped; the pause does not change the run.
    fn held(&self, _run: &RunId, _standing: Standing, hold: Hold) {
        drop(hold);
    }

    /// A run has its verdict.
    fn finished(&self, run: &RunId, finished: &Finished);

    /// All repeated runs of a scenario have ended; `run` is one of them.
    fn repeated(&self, run: &RunId, repeat: &Repeat);
}
