//! A story that stands still, saved: the guest, and what the lab was asked until then.

use std::{path::PathBuf, sync::Arc};

use super::{
    Hold, Machine, MachineConfig, STATE, link,
    memory::{Base, BaseId, SavedMemory},
};
use crate::{LabError, Result, base::blocking, exact::Recording, template::Moment};

/// The file with the guest's memory, as far as it differs from its template's.
const PAGES: &str = "pages";

/// A moment of a story, from which it can be gone on with any number of times. Its files are in a
/// directory of its own, which is the caller's.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) dir: PathBuf,
    memory: SavedMemory,
    pub(crate) moment: Moment,
    pub(crate) recording: Recording,
}

impl Checkpoint {
    /// The one whose files are in this directory; its memory differs from `base`, or from none.
    pub(crate) fn new(
        dir: PathBuf,
        base: Option<Arc<Base>>,
        moment: Moment,
        recording: Recording,
    ) -> Checkpoint {
        let memory = SavedMemory { base, pages: Some(dir.join(PAGES)) };
        Checkpoint { dir, memory, moment, recording }
    }

    /// Which template's memory its own differs from, if from one.
    pub(crate) fn base(&self) -> Result<Option<BaseId>> {
        self.memory.base.as_ref().map(|base| base.id()).transpose()
    }

    /// How many questions of the guest's led there.
    pub fn questions(&self) -> usize {
        self.recording.len()
    }

    /// What QEMU wrote.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }
}

impl Hold {
    /// Saves the guest that stands still into an empty directory, with the story so far, which was
    /// [written down](crate::Keeper::write_down).
    ///
    /// # Errors
    /// `Unsaveable` when not all of it could be written down, `Qmp`, `File`.
    pub async fn save(&mut self, dir: PathBuf) -> Result<Checkpoint> {
        self.stopped().await?;
        let register = self.register.as_ref().ok_or(LabError::Unsaveable)?;
        let recording = register.take_recording().ok_or(LabError::Unsaveable)?;
        let moment = Moment::new(register.value(), None);
        let checkpoint = Checkpoint::new(dir, self.base.clone(), moment, recording);
        link(&self.dir().join(STATE), &checkpoint.state())?;
        self.qmp.save(STATE).await?;
        self.save_memory(checkpoint.dir.join(PAGES)).await?;
        Ok(checkpoint)
    }

    async fn save_memory(&self, path: PathBuf) -> Result<()> {
        let (ram, base) = (Arc::clone(&self.ram), self.base.clone());
        blocking(move || {
            let base = base.as_ref().map(|base| base.file());
            ram.save_pages(base, &path).map_err(LabError::file("cannot write", path))
        })
        .await
    }
}

impl Machine {
    /// Starts a guest from a checkpoint. It stands still until [`Machine::tell_again`].
    ///
    /// # Errors
    /// As [`Machine::restore`], without throwing anything away.
    pub async fn take_up(config: MachineConfig, checkpoint: &Checkpoint) -> Result<Machine> {
        Machine::load(&config, checkpoint.moment, &checkpoint.state(), checkpoint.memory.clone())
            .await
    }

    /// Asks the keeper of this machine what led to its checkpoint. When all is answered as it was then the
    /// guest goes on; else the keeper has the error `AnotherStory`.
    pub fn tell_again(&self, checkpoint: &Checkpoint) {
        let Some(register) = &self.register else { return };
        let told = register.tell_again(checkpoint.recording.clone());
        let qmp = Arc::clone(&self.qmp);
        tokio::spawn(async move {
            if told.await.is_ok() {
                qmp.go_on().await;
            }
        });
    }
}
