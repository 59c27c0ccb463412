//! Starts a guest: by a cold boot, from a template, from a checkpoint of the beginning of its
//! story, or from a checkpoint of a moment in a story.

use std::sync::Arc;

use sansim_lab::{
    Boot, Checkpoint, Machine, MachineConfig, Progress, StartToSave, Starts, Templates, TimeMode,
    WorkDir,
};

use crate::{Setup, StageError, san::throw_away};

/// A running machine.
pub struct Up {
    /// The machine.
    pub machine: Machine,
    /// What the machine was started from.
    pub boot: Boot,
    /// The position of the machine in its story.
    pub at: Place,
}

/// The position of a started machine in its story.
pub enum Place {
    /// Before discovery. If the value is `Some`, a checkpoint is to be saved at the beginning of
    /// the story.
    Fresh(Option<StartToSave>),
    /// The beginning of the story.
    Start(Checkpoint),
    /// A moment of another story, from which the user wants to continue.
    Moment(Arc<Checkpoint>),
}

impl Place {
    /// The checkpoint from which the machine was restored, if any.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Place::Fresh(_) => None,
            Place::Start(checkpoint) => Some(checkpoint),
            Place::Moment(checkpoint) => Some(checkpoint),
        }
    }
}

/// How to start a machine.
pub struct Start<'s> {
    /// The guest and the SAN.
    pub setup: &'s Setup,
    /// The clock of the guest.
    pub time: TimeMode,
    /// Whether to boot instead of restoring a template.
    pub cold: bool,
    /// The moment of a story from which to continue.
    pub from: Option<&'s Arc<Checkpoint>>,
    /// A key for everything that affects the run before the story begins: two stories with the same
    /// key are identical up to that point. `None` if no checkpoint of the beginning may be used.
    pub in_common: Option<String>,
}

/// Starts a machine from the saved state that is closest to the requested one. Creates the template
/// if there is none.
///
/// # Errors
/// As [`Templates::start`].
pub async fn bring_up(
    start: Start<'_>,
    config: MachineConfig,
    templates: &Templates,
    progress: &(dyn Progress + Sync),
) -> Result<Up, StageError> {
    if let Some(checkpoint) = start.from {
        progress.stage("taking the story up");
        let machine = Machine::take_up(config, checkpoint).await?;
        let at = Place::Moment(Arc::clone(checkpoint));
        return Ok(Up { machine, boot: Boot::Checkpoint, at });
    }
    if start.cold {
        progress.stage("booting the guest");
        let machine = Machine::cold(config).await?;
        return Ok(Up { machine, boot: Boot::Cold, at: Place::Fresh(None) });
    }
    progress.stage("restoring the guest");
    if let Some(in_common) = &start.in_common
        && let Some(up) = at_the_start(in_common, &config, templates, progress).await?
    {
        return Ok(up);
    }
    let others = || {
        let work = WorkDir::create()?;
        let (sockets, san) = throw_away(start.setup, start.time, work.path())?;
        Ok::<_, StageError>((sockets, (san, work)))
    };
    let (machine, template) = templates.start(config, others, progress).await?;
    let to_save = start.in_common.and_then(|in_common| {
        let to_save = Starts::of(&template).to_save(&in_common);
        to_save.inspect_err(|error| tracing::warn!("no checkpoint is made: {error}")).ok().flatten()
    });
    Ok(Up { machine, boot: Boot::Template, at: Place::Fresh(to_save) })
}

/// Restores the machine at the beginning of its story, if there is a checkpoint of it. A checkpoint
/// that cannot be restored is deleted.
async fn at_the_start(
    in_common: &str,
    config: &MachineConfig,
    templates: &Templates,
    progress: &dyn Progress,
) -> Result<Option<Up>, StageError> {
    let Some(template) = templates.find(config, progress)? else { return Ok(None) };
    let Some(checkpoint) = Starts::of(&template).find(in_common) else { return Ok(None) };
    match Machine::take_up(config.clone(), &checkpoint).await {
        Ok(machine) => {
            Ok(Some(Up { machine, boot: Boot::Checkpoint, at: Place::Start(checkpoint) }))
        }
        Err(error) if error.is_the_hosts() => Err(error.into()),
        Err(error) => {
            progress.stage(&format!("a checkpoint does not restore and is made again: {error}"));
            checkpoint.discard();
            Ok(None)
        }
    }
}
