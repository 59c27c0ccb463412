//! One run: a scenario, a guest image and a seed. It starts a machine, plays the story, and leaves a verdict
//! and a run directory.
//!
//! The scenario's script drives the stage: [`run`] prepares the stage, lets the script act on it until the
//! story is over, and decides the verdict. This crate may import the stage, the language and reports.

#![forbid(unsafe_code)]

pub mod directory;
mod explain;
mod hold;
mod recorder;
mod script;
mod sink;
mod stopwatch;
mod story;
mod summary;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use directory::{DirectoryError, RunDirectory};
pub use explain::explain;
use hold::Lookout;
pub use hold::{Standing, Until};
pub use recorder::Recorded;
use recorder::Recorder;
use sansim_array::Stage as RunStage;
use sansim_lab::{
    AccelDecision, Checkpoint, Image, Keeper, LULL, LabError, Machine, MachineConfig, MemoryGauge,
    Progress, Templates, TimeMode, WorkDir, own_cpu_time,
};
use sansim_language::{Scenario, Versions, resolved_toml};
use sansim_report::{exactness::Exactness, timings::CpuSummary, verdict::Summary};
use sansim_stage::{
    Guest, Pace, Parts, Place, Prepared, San, Setup, Stage, StageError, Start, Up, Wire, bring_up,
    event::What, prepare,
};
pub use sansim_stage::{Input, LoadedModule, SanError, Terminal};
pub use sink::{Repetition, RunId, Sink};
use stopwatch::Part;
use story::{Story, Told};
use summary::summarize;
use tokio_util::sync::CancellationToken as Cancel;

/// The parameters of a run.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// Identifies the run within the suite.
    pub id: RunId,
    /// The scenario to run, with all overrides applied.
    pub scenario: Scenario,
    /// The guest image to boot.
    pub image: Image,
    /// How QEMU runs the guest's code: KVM or TCG.
    pub accel: AccelDecision,
    /// Real or skipped time.
    pub time: TimeMode,
    /// Seed for everything random: workload, fault probabilities, random delays.
    pub seed: u64,
    /// Boot the guest instead of restoring a template or checkpoint.
    pub cold: bool,
    /// Parent of the run directory.
    pub out: PathBuf,
    /// Start time of the suite, for the directory's name: `20260131-120000`.
    pub stamp: String,
    /// The command line that repeats the run.
    pub repeat: String,
    /// Whether no other run is in progress at the same time, so that this process's CPU time belongs to this
    /// run.
    pub alone: bool,
    /// The moment at which to stop the story and call [`Sink::held`] or [`Sink::terminal`].
    pub until: Option<Until>,
    /// Whether to record the guest's questions, so that the story can be [saved](sansim_lab::Hold::save) at
    /// that moment.
    pub write_down: bool,
    /// A saved story to continue from. Up to that moment the scenario must be the same as the saved one;
    /// otherwise the run fails.
    pub from: Option<Arc<Checkpoint>>,
}

impl RunSpec {
    /// Whether a repetition of the run gives the same events, byte for byte.
    pub fn exactness(&self) -> Exactness {
        Exactness::of(self.accel.accel, self.scenario.setup.guest.cpus, self.time)
    }

    /// A text that identifies everything that influences discovery: stories with the same text share a
    /// checkpoint. `None` if the story cannot start from a checkpoint. The seed is not part of it: only faults
    /// depend on chance, and stories with faults during discovery have no checkpoint.
    fn in_common(&self) -> Option<String> {
        let Setup { guest, array, hbas, command_timeout, faults, .. } = &self.scenario.setup;
        let unseen = faults.iter().all(|rule| rule.when.stage == Some(RunStage::Story));
        let fit = self.exactness().is_exact() && unseen && !self.write_down;
        let asks = self.scenario.asks_for_multipath_tools();
        fit.then(|| format!("{guest:?} {array:?} {hbas:?} {command_timeout:?} {asks}"))
    }
}

/// A run with its verdict.
#[derive(Debug)]
pub struct Finished {
    /// The contents of `summary.json`.
    pub summary: Summary,
    /// The timeline and the last commands.
    pub recorded: Recorded,
}

/// Why a run has no verdict, or the verdict `error`.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user has interrupted the run.
    #[error("interrupted")]
    Interrupted,
    /// The story ended early for a shell in its guest.
    #[error("the story was left for a shell in its guest")]
    Left {
        /// The shell's exit code; `None` if a signal killed it.
        code: Option<i32>,
    },
    /// The image, QEMU or the guest failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The simulated array or an HBA failed.
    #[error(transparent)]
    San(#[from] SanError),
    /// The run's directory cannot be written.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A panic: a bug in sansim.
    #[error("the run failed by a mistake in sansim; what was printed before says more")]
    Panicked,
    /// The scenario needs a module that the image does not have.
    #[error("the image {image} has no {module}: {why}")]
    LacksModule {
        /// The image's name.
        image: String,
        /// The module.
        module: String,
        /// Why the image was built without it.
        why: String,
    },
    /// The scenario needs a program that the image does not have.
    #[error("the scenario needs {program}, which the userland of {image} does not have")]
    LacksProgram {
        /// The image's name.
        image: String,
        /// The program.
        program: String,
    },
    /// The kernel does not have a module that the scenario needs.
    #[error("the scenario needs a module that is not there: {0}")]
    NoModule(String),
    /// The story could not begin.
    #[error("the story could not begin: {0}")]
    Story(String),
}

impl From<StageError> for RunError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Lab(error) => error.into(),
            StageError::San(error) => error.into(),
            StageError::NoModule(why) => RunError::NoModule(why),
            StageError::Unready(why) => RunError::Story(why),
        }
    }
}

/// Facts about a run other than its story.
#[derive(Debug, Default)]
struct Facts {
    kernel: String,
    handler: String,
    qemu: String,
    boot: String,
    qemu_memory: Option<u64>,
    cpu: CpuSummary,
    /// Shared with the suite, which reads it during the run.
    memory: Arc<OnceLock<MemoryGauge>>,
    started: Option<Duration>,
    first_io: Option<Duration>,
    /// `Some` for [`survey`], which only needs the guest's modules at the beginning of the story.
    survey: Option<Vec<LoadedModule>>,
}

/// Runs a scenario. A failure of the lab gives the verdict `error`, with a reason. `memory` is set as soon
/// as the machine exists.
///
/// # Errors
/// When the user interrupts or leaves the story for a shell, the run directory cannot be written, or the
/// scenario cannot continue from [`RunSpec::from`].
pub async fn run(
    spec: &RunSpec,
    templates: &Templates,
    sink: &dyn Sink,
    cancel: &Cancel,
    memory: &Arc<OnceLock<MemoryGauge>>,
) -> Result<Finished, RunError> {
    let (began, spent) = (Instant::now(), own_cpu_time());
    let directory = RunDirectory::create(&spec.out, &spec.stamp, &spec.id.slug())?;
    directory.file("scenario.toml", &resolved_toml(&spec.scenario))?;
    let mut recorder = Recorder::new(spec.id.clone(), directory, sink);
    recorder.lookout = Lookout::new(spec.until.clone());
    // Exact runs need no trace: their files are compared.
    if spec.id.repetition.is_some() && !spec.exactness().is_exact() {
        recorder.trace();
    }
    let (kernel, memory) = (spec.image.release.clone(), Arc::clone(memory));
    let mut facts = Facts { kernel, memory, ..Facts::default() };
    let told = match lacking(spec) {
        Some(error) => Err(error),
        None => attempt(spec, templates, &mut recorder, &mut facts, cancel, began).await,
    };
    let told = match told {
        Err(
            error @ (RunError::Interrupted
            | RunError::Left { .. }
            | RunError::Directory(_)
            | RunError::Lab(LabError::AnotherStory { .. })),
        ) => return Err(error),
        told => told,
    };
    let mut summary = summarize(spec, &recorder, &facts, told);
    summary.timings = recorder.timings();
    summary.cpu_s.sansim = spec.alone.then(|| own_cpu_time().saturating_sub(spent).as_secs_f64());
    summary.wall_s = began.elapsed().as_secs_f64();
    let verdict =
        What::Verdict { verdict: summary.verdict.to_string(), reason: summary.reason.clone() };
    recorder.emit_last(verdict);
    let recorded = recorder.finish(&summary)?;
    Ok(Finished { summary, recorded })
}

/// The modules in the guest's memory when the story begins, with their addresses. This takes a separate run,
/// which ends there and only writes to `scratch`: the query would change the story of the actual run.
///
/// # Errors
/// As for [`run`].
pub async fn survey(
    spec: &RunSpec,
    templates: &Templates,
    sink: &dyn Sink,
    cancel: &Cancel,
    scratch: &Path,
) -> Result<Vec<LoadedModule>, RunError> {
    let directory = RunDirectory::create(scratch, "survey", &spec.id.slug())?;
    let mut recorder = Recorder::new(spec.id.clone(), directory, sink);
    let mut facts = Facts { survey: Some(Vec::new()), ..Facts::default() };
    attempt(spec, templates, &mut recorder, &mut facts, cancel, Instant::now()).await?;
    Ok(facts.survey.unwrap_or_default())
}

/// An error if the scenario needs a module or program that the image lacks.
fn lacking(spec: &RunSpec) -> Option<RunError> {
    let (image, name) = (&spec.image, || spec.id.image.clone());
    let module = spec.scenario.setup.guest.wanted_modules().find_map(|module| {
        let why = image.lacks(&module)?.to_owned();
        Some(RunError::LacksModule { image: name(), module, why })
    });
    module.or_else(|| {
        let program = spec.scenario.wanted_programs().find(|p| image.lacks_program(p))?.to_owned();
        Some(RunError::LacksProgram { image: name(), program })
    })
}

/// Runs the story to its end. Starts again from the template if the checkpoint belonged to another story.
async fn attempt(
    spec: &RunSpec,
    templates: &Templates,
    recorder: &mut Recorder<'_>,
    facts: &mut Facts,
    cancel: &Cancel,
    began: Instant,
) -> Result<Told, RunError> {
    match attempt_once(spec, templates, recorder, facts, cancel, began).await {
        Err(RunError::Lab(LabError::AnotherStory { why })) if spec.from.is_none() => {
            // The checkpoint has been removed: this attempt starts from the template.
            tracing::warn!("a checkpoint belongs to another story and is made again: {why}");
            attempt_once(spec, templates, recorder, facts, cancel, began).await
        }
        told => told,
    }
}

/// Runs the story to its end, and always stops the machine and the HBAs.
async fn attempt_once(
    spec: &RunSpec,
    templates: &Templates,
    recorder: &mut Recorder<'_>,
    facts: &mut Facts,
    cancel: &Cancel,
    began: Instant,
) -> Result<Told, RunError> {
    let work = WorkDir::create()?;
    let pace = Pace::new(spec.time);
    let (san, wire) = San::start(&spec.scenario.setup, spec.seed, &pace, work.path())?;
    let config = machine_config(spec, &work, &san, recorder);
    let start = Start {
        setup: &spec.scenario.setup,
        time: spec.time,
        cold: spec.cold,
        from: spec.from.as_ref(),
        in_common: spec.in_common(),
    };
    let tell = Tell(recorder);
    let started = tokio::select! {
        () = cancel.cancelled() => Err(RunError::Interrupted),
        started = bring_up(start, config, templates, &tell) => started.map_err(Into::into),
    };
    let told = match started {
        Err(error) => Err(error),
        Ok(Up { mut machine, boot, at }) => {
            facts.boot = boot.to_string();
            facts.started = Some(began.elapsed());
            let _ = facts.memory.set(machine.gauge());
            facts.qemu = machine.qemu_version().to_owned();
            let mut act = Act { spec, san: &san, pace, cancel, began, at };
            let told = act.play(&mut machine, wire, recorder, facts).await;
            if let (Err(RunError::Lab(LabError::AnotherStory { .. })), Place::Start(start)) =
                (&told, &act.at)
            {
                start.discard();
            }
            recorder.enter(Part::Teardown);
            facts.qemu_memory = machine.memory_usage();
            facts.cpu.qemu = machine.cpu_time().map(|time| time.as_secs_f64());
            machine.kill().await;
            told
        }
    };
    san.stop();
    told
}

fn machine_config(
    spec: &RunSpec,
    work: &WorkDir,
    san: &San,
    recorder: &Recorder<'_>,
) -> MachineConfig {
    MachineConfig {
        image: spec.image.clone(),
        accel: spec.accel.accel,
        time: spec.time,
        memory_mib: (spec.scenario.setup.guest.memory >> 20) as u32,
        cpus: spec.scenario.setup.guest.cpus,
        services: spec.scenario.setup.guest.manager.services(),
        hbas: san.sockets(),
        work_dir: work.path().to_owned(),
        console: recorder.directory().console(),
    }
}

/// The part of a run during which the guest is up.
struct Act<'r> {
    spec: &'r RunSpec,
    san: &'r San,
    pace: Pace,
    cancel: &'r Cancel,
    began: Instant,
    at: Place,
}

impl Act<'_> {
    async fn play(
        &mut self,
        machine: &mut Machine,
        wire: Wire,
        recorder: &mut Recorder<'_>,
        facts: &mut Facts,
    ) -> Result<Told, RunError> {
        let events = machine.events().ok_or_else(|| RunError::Story("no events".into()))?;
        let keeper = machine.keeper().ok_or_else(|| RunError::Story("no keeper".into()))?;
        let mut keeper = self.pace.rule(keeper, self.san.devices());
        if let Some(checkpoint) = self.at.checkpoint() {
            machine.tell_again(checkpoint);
        } else if self.spec.write_down || matches!(self.at, Place::Fresh(Some(_))) {
            keeper.write_down();
        }
        let guest = Guest::new(machine.agent());
        let prepared = tokio::select! {
            () = self.cancel.cancelled() => Err(RunError::Interrupted),
            error = machine.failed() => Err(RunError::Lab(error)),
            prepared = self.prepare(machine, &guest, &mut keeper, recorder) => prepared,
        };
        let (Prepared { paths, maps, .. }, versions) = prepared?;
        if let Some(modules) = &mut facts.survey {
            *modules = keeper.drive(guest.loaded_modules()).await??;
            return Ok(Told::default());
        }
        let scenario = &self.spec.scenario.on(&versions);
        facts.handler = match &scenario.setup.guest.handler {
            // The map attaches the handler, not discovery.
            Some(named) if paths.handlers() == "detached" => named.clone(),
            _ => paths.handlers(),
        };
        recorder.enter(Part::Story);
        let parts = Parts {
            setup: Arc::new(scenario.setup.clone()),
            seed: self.spec.seed,
            array: Arc::clone(&self.san.array),
            clock: self.pace.clock(),
            hbas: self.san.hbas.clone(),
            wire,
            machine,
            guest,
            events,
            keeper,
            paths,
            maps,
        };
        let counted = scenario.expectations.iter().flat_map(|it| &it.conditions);
        let stage = Stage::begin(parts, counted.filter_map(|condition| condition.counted()))?;
        let story = Story::begin(scenario, stage, recorder, self.cancel.clone());
        let told = story.tell(&versions, self.began).await?;
        facts.first_io = told.first_io;
        Ok(told)
    }

    /// The versions of kernel and multipath-tools, as far as the scenario depends on them.
    async fn versions(&self, guest: &Guest, keeper: &mut Keeper) -> Result<Versions, RunError> {
        let kernel = self.spec.image.release.clone();
        let multipath_tools = match self.spec.scenario.asks_for_multipath_tools() {
            true => keeper.drive(guest.multipath_tools()).await??,
            false => None,
        };
        Ok(Versions { kernel, multipath_tools })
    }

    /// Loads modules, discovers disks, builds maps and reads versions; then waits for a quiet period.
    async fn prepare(
        &mut self,
        machine: &Machine,
        guest: &Guest,
        keeper: &mut Keeper,
        recorder: &mut Recorder<'_>,
    ) -> Result<(Prepared, Versions), RunError> {
        recorder.clockwork = self.pace.story_time(keeper.drive(guest.now()).await??);
        let setup = &self.spec.scenario.setup;
        let enter = |preparing| recorder.enter(Part::of(preparing));
        let mut prepared = prepare(setup, &self.san.array, guest, keeper, enter).await?;
        let versions = self.versions(guest, keeper).await?;
        self.lull(machine, keeper).await?;
        if let Some(view) = prepared.view.take() {
            recorder.emit_at(0.0, What::Multipathd { view });
        }
        keeper.drive(guest.seed(self.spec.seed)).await??;
        Ok((prepared, versions))
    }

    /// Leaves the guest idle for a while, and saves a checkpoint if one is needed. Nothing before this point
    /// depends on the seed.
    async fn lull(&mut self, machine: &Machine, keeper: &mut Keeper) -> Result<(), RunError> {
        let Some(end) = keeper.now().map(|now| now + LULL) else { return Ok(()) };
        if let Place::Fresh(to_save) = &mut self.at
            && let Some(to_save) = to_save.take()
        {
            match to_save.save(machine, keeper, end).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::info!("the guest could not be stopped in time for a checkpoint")
                }
                Err(error @ LabError::GuestGone { .. }) => return Err(error.into()),
                Err(error) => tracing::warn!("no checkpoint is made: {error}"),
            }
        }
        Ok(keeper.sleep_until(end).await?)
    }
}

/// Passes the lab's progress messages on to the recorder.
struct Tell<'r, 'a>(&'r Recorder<'a>);

impl Progress for Tell<'_, '_> {
    fn stage(&self, text: &str) {
        self.0.stage(text);
    }
}
