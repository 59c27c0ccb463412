//! How a guest comes up: cold, from a template, from where its story starts, or from a moment of one.

use std::sync::Arc;

use sansim_lab::{
    Boot, Checkpoint, Machine, MachineConfig, Progress, StartToSave, Starts, Templates, TimeMode,
    WorkDir,
};

use crate::{Setup, StageError, san::throw_away};

/// A machine that is up.
pub struct Up {
    /// It.
    pub machine: Machine,
    /// From what it came up.
    pub boot: Boot,
    /// Where in its story it is.
    pub at: Place,
}

/// Where in its story a machine is that has come up.
pub enum Place {
    /// Nothing has been done to it. Where its story starts it is to be saved, if somebody has that right.
    Fresh(Option<StartToSave>),
    /// Where its story starts.
    Start(Checkpoint),
    /// A moment of another story, which the user wants to go on from.
    Moment(Arc<Checkpoint>),
}

impl Place {
    /// What led there, unless nothing has.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Place::Fresh(_) => None,
            Place::Start(checkpoint) => Some(checkpoint),
            Place::Moment(checkpoint) => Some(checkpoint),
        }
    }
}

/// How a machine is to come up.
pub struct Start<'s> {
    /// What there is.
    pub setup: &'s Setup,
    /// What drives the guest's clock.
    pub time: TimeMode,
    /// Boot instead of restoring a template.
    pub cold: bool,
    /// The moment of a story to go on from.
    pub from: Option<&'s Arc<Checkpoint>>,
    /// All that has a part in the story before it starts, in words that no other story has unless it is the
    /// same until there; none where it must not start from a checkpoint.
    pub in_common: Option<String>,
}

/// Starts a machine from what is the nearest to where it is to be. A template is made if there is none.
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
        && let Some(up) = at_the_start(in_common, &config, templates).await?
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

/// A machine where its story starts, if there is a checkpoint of that. One that cannot be taken up is
/// removed.
async fn at_the_start(
    in_common: &str,
    config: &MachineConfig,
    templates: &Templates,
) -> Result<Option<Up>, StageError> {
    let Some(template) = templates.find(config)? else { return Ok(None) };
    let Some(checkpoint) = Starts::of(&template).find(in_common) else { return Ok(None) };
    match Machine::take_up(config.clone(), &checkpoint).await {
        Ok(machine) => {
            Ok(Some(Up { machine, boot: Boot::Checkpoint, at: Place::Start(checkpoint) }))
        }
        Err(error) => {
            tracing::warn!("a checkpoint does not restore and is made again: {error}");
            checkpoint.discard();
            Ok(None)
        }
    }
}
