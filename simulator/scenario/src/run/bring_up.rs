//! How a run's guest comes up: cold, from a template, from where its story starts, or from a moment of one.

use std::sync::Arc;

use sansim_array::Stage;
use sansim_lab::{
    Boot, Checkpoint, Machine, MachineConfig, Progress, StartToSave, Starts, Templates, WorkDir,
};

use super::{Exactness, RunError, RunSpec, recorder::Recorder, san::throw_away};
use crate::lang::plan::Scenario;

/// A machine that is up.
pub(super) struct Up {
    pub(super) machine: Machine,
    pub(super) boot: Boot,
    pub(super) at: Place,
}

/// Where in its story a machine is that has come up.
pub(super) enum Place {
    /// Nothing has been done to it. Where its story starts it is to be saved, if somebody has that right.
    Fresh(Option<StartToSave>),
    /// Where its story starts.
    Start(Checkpoint),
    /// A moment of another story, which the user wants to go on from.
    Moment(Arc<Checkpoint>),
}

impl Place {
    /// What led there, unless nothing has.
    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Place::Fresh(_) => None,
            Place::Start(checkpoint) => Some(checkpoint),
            Place::Moment(checkpoint) => Some(checkpoint),
        }
    }
}

/// Starts the machine of a run, from what is the nearest to its story. A template is made if there is none.
///
/// # Errors
/// As [`Templates::start`].
pub(super) async fn bring_up(
    spec: &RunSpec,
    config: MachineConfig,
    templates: &Templates,
    recorder: &Recorder<'_>,
) -> Result<Up, RunError> {
    if let Some(checkpoint) = &spec.from {
        recorder.stage("taking the story up");
        let machine = Machine::take_up(config, checkpoint).await?;
        let at = Place::Moment(Arc::clone(checkpoint));
        return Ok(Up { machine, boot: Boot::Checkpoint, at });
    }
    if spec.cold {
        recorder.stage("booting the guest");
        let machine = Machine::cold(config).await?;
        return Ok(Up { machine, boot: Boot::Cold, at: Place::Fresh(None) });
    }
    recorder.stage("restoring the guest");
    let in_common = in_common(spec);
    if let Some(in_common) = &in_common
        && let Some(up) = at_the_start(in_common, &config, templates).await?
    {
        return Ok(up);
    }
    let others = || {
        let work = WorkDir::create()?;
        let (sockets, san) = throw_away(&spec.scenario, spec.time, work.path())?;
        Ok::<_, RunError>((sockets, (san, work)))
    };
    let (machine, template) = templates.start(config, others, &Tell(recorder)).await?;
    let to_save = in_common.and_then(|in_common| {
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
) -> Result<Option<Up>, RunError> {
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

/// All that has a part in a story before it starts, in words that no other story has unless it is the same
/// until there; none where a story does not start from a checkpoint. The seed has no part in it: whatever
/// is left to chance is a fault's, and here are none that can be seen so early.
fn in_common(spec: &RunSpec) -> Option<String> {
    let unseen = spec.scenario.faults.iter().all(|rule| rule.when.stage == Some(Stage::Story));
    let fit = Exactness::of(spec).is_exact() && unseen && !spec.write_down;
    let Scenario { guest, array, hbas, command_timeout, .. } = &spec.scenario;
    let asks = spec.scenario.asks_for_multipath_tools();
    fit.then(|| format!("{guest:?} {array:?} {hbas:?} {command_timeout:?} {asks}"))
}

/// Tells the reader what the lab is doing.
struct Tell<'r, 'a>(&'r Recorder<'a>);

impl Progress for Tell<'_, '_> {
    fn stage(&self, text: &str) {
        self.0.stage(text);
    }
}
