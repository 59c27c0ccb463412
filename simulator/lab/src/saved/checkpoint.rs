//! A stopped story that was saved: the guest, and the recorded questions up to then.

use std::{path::PathBuf, sync::Arc};

use sansim_marks::Marks;

use super::{Moment, STATE, SavedMemory, TemplateMemory, TemplateMemoryId};
use crate::{Result, exact::Recording};

/// File name of the memory pages that differ from the template's.
const PAGES: &str = "pages";

/// A moment of a story, which can be continued any number of times. Its files are in a directory that
/// belongs to the caller.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) dir: PathBuf,
    pub(crate) memory: SavedMemory,
    pub(crate) moment: Moment,
    pub(crate) recording: Recording,
    /// The code that was executed until then, if it is marked.
    pub(crate) marks: Marks,
}

impl Checkpoint {
    /// The checkpoint with its files in `dir`. Its memory is saved as pages that differ from `template`, or
    /// as all pages that are not zero.
    pub(crate) fn new(
        dir: PathBuf,
        template: Option<Arc<TemplateMemory>>,
        moment: Moment,
        recording: Recording,
    ) -> Checkpoint {
        let memory = SavedMemory { template, pages: Some(dir.join(PAGES)) };
        Checkpoint { dir, memory, moment, recording, marks: Marks::default() }
    }

    /// Identifies the template that its memory is based on; `None` if it is self-contained.
    pub(crate) fn template(&self) -> Result<Option<TemplateMemoryId>> {
        self.memory.template.as_ref().map(|template| template.id()).transpose()
    }

    /// Number of recorded questions up to this moment.
    pub fn questions(&self) -> usize {
        self.recording.len()
    }

    /// The file with QEMU's device state.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// The file with memory pages.
    pub(crate) fn pages(&self) -> PathBuf {
        self.dir.join(PAGES)
    }
}
