//! Saves a guest, and restores a saved one: a template, or a checkpoint in the middle of a story.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sansim_marks::Marks;
use sansim_protocol::Call;

use super::{Hold, Machine, MachineConfig, STOPPING, TimeMode, command_line::Start};
use crate::{
    Checkpoint, LabError, Result, Template,
    host::blocking,
    ram::Ram,
    saved::{Moment, STATE, SavedMemory},
};

/// How long a restored guest may take to reply. It continues where it was saved, so only a slow host needs
/// this long.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

impl Machine {
    /// Restores a guest from the template for such a machine. The result is the same as from
    /// [`cold`](Machine::cold).
    ///
    /// # Errors
    /// `BadTemplate` when the template cannot be restored; it is removed. Others as for
    /// [`cold`](Machine::cold).
    pub async fn restore(config: MachineConfig, template: &Template) -> Result<Machine> {
        let result = async {
            let moment = template.moment()?;
            let memory = SavedMemory::of(template.memory()?);
            let state = read_state(&template.state())?;
            let mut machine = Machine::load(&config, moment, &state, memory).await?;
            let qmp = Arc::clone(&machine.qmp);
            let continued = tokio::spawn(async move { qmp.go_on().await });
            if config.time == TimeMode::Real {
                continued.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
                machine.link.call_within(Call::Hello, ANSWER_DEADLINE).await?;
            } else if let Some(keeper) = &mut machine.keeper {
                keeper.sleep_until(moment.resumes()).await?;
            }
            machine.marked_before(&template.marks()?);
            Ok(machine)
        };
        let error: LabError = match result.await {
            Ok(machine) => return Ok(machine),
            Err(error) => error,
        };
        // A template is thrown away if it is damaged, or if QEMU does not accept it. Everything else concerns the
        // host: QEMU is missing, or was killed; there is no memory, or no backend.
        let why = match template.check_fully() {
            Err(damage) => damage.to_string(),
            Ok(()) if error.is_of_qemus_state() => error.to_string(),
            Ok(()) => return Err(error),
        };
        template.throw_away();
        Err(LabError::BadTemplate { path: template.path().to_owned(), why })
    }

    /// Starts QEMU with a saved guest, which remains stopped.
    async fn load(
        config: &MachineConfig,
        moment: Moment,
        state: &[u8],
        memory: SavedMemory,
    ) -> Result<Machine> {
        // The memory is copied while QEMU starts.
        let ram = Arc::new(Ram::new(config.memory_mib)?);
        let (into, template) = (Arc::clone(&ram), memory.template());
        let loading = tokio::task::spawn_blocking(move || memory.load_into(&into));
        let (mut machine, _) = Machine::launch(config, Start::Restore, ram, moment).await?;
        machine.template = template;
        loading.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))?;
        machine.or_gone(machine.qmp.load(&config.work_dir, state)).await?;
        Ok(machine)
    }

    /// Stops the guest, writes its device state and memory to two new files, and ends it. Returns the
    /// moment with the marks until then, or `None` if stopping took too long because the host is busy.
    pub(crate) async fn save(
        mut self,
        config: &MachineConfig,
        state: &Path,
        ram: PathBuf,
    ) -> Result<Option<(Moment, Option<Marks>)>> {
        link(&config.work_dir.join(STATE), state)?;
        let moment = match self.keeper.take() {
            Some(mut keeper) => {
                let resumes = keeper.now().map(|now| now + STOPPING);
                keeper.have_asked_at(resumes);
                // QEMU can reply to `stop` only after the open question is answered.
                keeper.drive(self.or_gone(self.qmp.stop())).await??;
                let late = resumes.zip(keeper.now()).is_some_and(|(at, now)| now >= at);
                if late {
                    return Ok(None);
                }
                let value = self.register.as_ref().map_or(0, |register| register.value());
                Moment::new(value, resumes)
            }
            None => Moment::default(),
        };
        self.or_gone(self.qmp.save(STATE)).await?;
        let marks = self.marks()?;
        let memory = Arc::clone(&self.ram);
        self.kill().await;
        memory.write_to(ram).await?;
        Ok(Some((moment, marks)))
    }

    /// Restores a guest from a checkpoint. It stands still until [`Machine::tell_again`].
    ///
    /// # Errors
    /// As [`Machine::restore`], but nothing is removed.
    pub async fn take_up(config: MachineConfig, checkpoint: &Checkpoint) -> Result<Machine> {
        let state = read_state(&checkpoint.state())?;
        let memory = checkpoint.memory.clone();
        let mut machine = Machine::load(&config, checkpoint.moment, &state, memory).await?;
        machine.marked_before(&checkpoint.marks);
        Ok(machine)
    }

    /// Asks the checkpoint's recorded questions. When all answers are the same as recorded, the guest
    /// continues; otherwise the keeper returns the error `AnotherStory`.
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

impl Hold {
    /// Saves the stopped guest and its story so far, which must have been
    /// [recorded](crate::Keeper::write_down), to an empty directory.
    ///
    /// # Errors
    /// `Unsaveable` when the recording is incomplete, `Qmp`, `File`.
    pub async fn save(&mut self, dir: PathBuf) -> Result<Checkpoint> {
        self.stopped().await?;
        let register = self.register.as_ref().ok_or(LabError::Unsaveable)?;
        let recording = register.take_recording().ok_or(LabError::Unsaveable)?;
        let moment = Moment::new(register.value(), None);
        let checkpoint = Checkpoint::new(dir, self.template.clone(), moment, recording);
        link(&self.dir().join(STATE), &checkpoint.state())?;
        self.qmp.save(STATE).await?;
        self.save_memory(checkpoint.pages()).await?;
        Ok(checkpoint)
    }

    async fn save_memory(&self, path: PathBuf) -> Result<()> {
        let (ram, template) = (Arc::clone(&self.ram), self.template.clone());
        blocking(move || {
            let template = template.as_ref().map(|template| template.file());
            ram.save_pages(template, &path).map_err(LabError::file("cannot write", path))
        })
        .await
    }
}

/// Reads a saved device state.
fn read_state(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(LabError::file("cannot read", path))
}

/// Creates a symbolic link, and replaces an existing one.
fn link(from: &Path, to: &Path) -> Result<()> {
    let _ = std::fs::remove_file(from);
    std::os::unix::fs::symlink(to, from).map_err(LabError::file("cannot create", from))
}
