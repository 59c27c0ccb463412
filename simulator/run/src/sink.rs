//! Who is told while runs are going on.

use std::path::PathBuf;

use sansim_lab::Hold;

use sansim_report::repeat::Repeat;
use sansim_stage::{Terminal, event::Event};

use crate::{Finished, Standing};

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
    /// Whether other runs of the suite are on other images.
    pub among_images: bool,
    /// Which of several runs of the same it is; none if there is but one.
    pub repetition: Option<Repetition>,
}

/// A run's place among those of the same scenario, image and seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// The place of the first of them in the suite.
    pub group: usize,
    /// Which run of it, from 1.
    pub number: u32,
    /// How many runs of it there are.
    pub of: u32,
}

impl RunId {
    /// How the run is called where it is shown: `stolen-lun (3 of 10)`, `stolen-lun on trixie`.
    pub fn label(&self) -> String {
        let image = if self.among_images { format!(" on {}", self.image) } else { String::new() };
        match self.repetition {
            None => format!("{}{image}", self.name),
            Some(Repetition { number, of, .. }) => {
                format!("{}{image} ({number} of {of})", self.name)
            }
        }
    }

    /// How its directory is called: `stolen-lun-run3`, `stolen-lun-trixie`.
    pub(crate) fn slug(&self) -> String {
        let image = if self.among_images { format!("-{}", self.image) } else { String::new() };
        match self.repetition {
            None => format!("{}{image}", self.name),
            Some(Repetition { number, .. }) => format!("{}{image}-run{number}", self.name),
        }
    }
}

/// Is told what happens in the runs of a suite, from several threads.
pub trait Sink: Send + Sync {
    /// A run has come to a new stage: booting, discovery, ….
    fn stage(&self, run: &RunId, stage: &str);

    /// Something happened in a run.
    fn event(&self, run: &RunId, event: &Event);

    /// A run has come to where it was to be held. With a terminal it is left for a shell in its guest
    /// instead, and has no verdict.
    fn terminal(&self, _run: &RunId, _standing: &Standing) -> Option<Terminal> {
        None
    }

    /// A run has come to where it was to be held. Its guest stands still, or will in a moment, and goes
    /// on when `hold` is dropped; the run notices nothing of it.
    fn held(&self, _run: &RunId, _standing: Standing, hold: Hold) {
        drop(hold);
    }

    /// A run has its verdict.
    fn finished(&self, run: &RunId, finished: &Finished);

    /// All runs of a scenario that was to be repeated have ended; `run` is one of them.
    fn repeated(&self, run: &RunId, repeat: &Repeat);
}
