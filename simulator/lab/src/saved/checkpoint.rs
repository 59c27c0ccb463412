//! A story that stands still, saved: the guest, and what the lab was asked until then.

use std::{path::PathBuf, sync::Arc};

use super::{Moment, STATE, SavedMemory, TemplateMemory, TemplateMemoryId};
use crate::{Result, exact::Recording};

/// The file with the guest's memory, as far as it differs from its template's.
const PAGES: &str = "pages";

/// A moment of a story, from which it can be gone on with any number of times. Its files are in a
/// directory of its own, which is the caller's.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) dir: PathBuf,
    pub(crate) memory: SavedMemory,
    pub(crate) moment: Moment,
    pub(crate) recording: Recording,
}

impl Checkpoint {
    /// The one whose files are in this directory; its memory is told as what differs from that
    /// of a template, or as all that is not zero.
    pub(crate) fn new(
        dir: PathBuf,
        template: Option<Arc<TemplateMemory>>,
        moment: Moment,
        recording: Recording,
    ) -> Checkpoint {
        let memory = SavedMemory { template, pages: Some(dir.join(PAGES)) };
        Checkpoint { dir, memory, moment, recording }
    }

    /// Which template's memory its own differs from, if from one.
    pub(crate) fn template(&self) -> Result<Option<TemplateMemoryId>> {
        self.memory.template.as_ref().map(|template| template.id()).transpose()
    }

    /// How many questions of the guest's led there.
    pub fn questions(&self) -> usize {
        self.recording.len()
    }

    /// The file that QEMU wrote: the state of its devices.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    /// The file with the pages of the guest's memory.
    pub(crate) fn pages(&self) -> PathBuf {
        self.dir.join(PAGES)
    }
}
