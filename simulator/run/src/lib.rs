//! One run: a scenario, a guest image, a seed; from a machine that does not exist yet to a verdict, and a
//! directory that has everything there is to know about it.
//!
//! The scenario's script is a driver of the stage: [`run`] sets the stage, has the script act on it until the
//! story is over, and judges. May import the stage, the language and reports.

#![forbid(unsafe_code)]

pub mod directory;
mod explain;
mod hold;
mod recorder;
mod script;
mod sink;
mod stopwatch;
mod story;

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
    Progress, Templates, TimeMode, WorkDir, is_bundled_module, kernel_command_line, own_cpu_time,
};
use sansim_language::{Scenario, Versions, resolved_toml};
use sansim_report::{
    exactness::Exactness,
    timings::{CpuSummary, Timings},
    verdict::{IoSummary, MemorySummary, PartsSummary, Summary, Verdict},
};
use sansim_stage::{
    Guest, Pace, Parts, Place, Prepared, San, Setup, Stage, StageError, Start, Up, Wire, bring_up,
    event::What, prepare,
};
pub use sansim_stage::{Input, LoadedModule, SanError, Terminal};
pub use sink::{Repetition, RunId, Sink};
use stopwatch::Part;
use story::{Story, Told};
use tokio_util::sync::CancellationToken as Cancel;

/// Everything that makes a run what it is.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// Which run of the suite it is.
    pub id: RunId,
    /// The story.
    pub scenario: Scenario,
    /// The guest.
    pub image: Image,
    /// How its CPU is emulated.
    pub accel: AccelDecision,
    /// What drives the guest's clock.
    pub time: TimeMode,
    /// Seed of everything that is random.
    pub seed: u64,
    /// Boot instead of restoring a template.
    pub cold: bool,
    /// Where the run's directory goes.
    pub out: PathBuf,
    /// When the suite started, for the directory's name: `20260131-120000`.
    pub stamp: String,
    /// The command that repeats the run.
    pub repeat: String,
    /// Whether no other run goes on at the same time, so that what this process spends is this
    /// run's.
    pub alone: bool,
    /// Where its guest is to be held, to be looked at: the sink is told.
    pub until: Option<Until>,
    /// Whether the story is written down, so that it can be [saved](sansim_lab::Hold::save) there.
    pub write_down: bool,
    /// The moment of such a story to go on from. The scenario must be the same as that one's until then,
    /// or there is no run.
    pub from: Option<Arc<Checkpoint>>,
}

impl RunSpec {
    /// Whether the run can be had again, byte for byte.
    pub fn exactness(&self) -> Exactness {
        Exactness::of(self.accel.accel, self.scenario.setup.guest.cpus, self.time)
    }

    /// All that has a part in the story before it starts, in words that no other story has unless it is the
    /// same until there; none where a story does not start from a checkpoint. The seed has no part in it:
    /// whatever is left to chance is a fault's, and here are none that can be seen so early.
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
    /// The whole run on one page.
    pub summary: Summary,
    /// The story and the last commands.
    pub recorded: Recorded,
}

/// Why a run has no verdict of its own, or only `error`.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user wants to stop.
    #[error("interrupted")]
    Interrupted,
    /// The story was left for a shell in its guest.
    #[error("the story was left for a shell in its guest")]
    Left {
        /// The shell's exit code; none if it was killed.
        code: Option<i32>,
    },
    /// The machine failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The array or an HBA failed.
    #[error(transparent)]
    San(#[from] SanError),
    /// The run's directory cannot be written.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A mistake in this program.
    #[error("the run failed by a mistake in sansim; what was printed before says more")]
    Panicked,
    /// The scenario needs a module that the image does not have.
    #[error("the image {image} has no {module}: {why}")]
    LacksModule {
        /// The image's name.
        image: String,
        /// The module.
        module: String,
        /// Why it was left out.
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

/// What is known of a run before and apart from its story.
#[derive(Debug, Default)]
struct Facts {
    kernel: String,
    handler: String,
    qemu: String,
    boot: String,
    qemu_memory: Option<u64>,
    cpu: CpuSummary,
    /// Others look at it meanwhile.
    memory: Arc<OnceLock<MemoryGauge>>,
    started: Option<Duration>,
    first_io: Option<Duration>,
    /// Set where nothing is wanted of a run but the modules that its guest has when its story begins.
    survey: Option<Vec<LoadedModule>>,
}

/// Runs a scenario. A failure of the lab is a verdict too (`error`), with its reason. `memory` is set
/// when there is a machine.
///
/// # Errors
/// When the user interrupts or leaves the story for a shell, the run's directory cannot be written, or the
/// scenario does not go on from [`RunSpec::from`].
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
    // Exact runs are compared by the bytes that they leave.
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

/// The modules that the guest of such a run has when its story begins, and where they are in its memory.
/// That is found out in a run of its own, which ends there and leaves nothing but what is in `scratch`:
/// whoever asks a guest changes its story.
///
/// # Errors
/// As [`run`].
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

/// Why the scenario cannot be run on its image, if it needs what was left out there.
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

/// The run up to the end of its story; once more, if it was started from where another story starts.
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
            // The checkpoint is gone: this time the story is told from its template on.
            tracing::warn!("a checkpoint belongs to another story and is made again: {why}");
            attempt_once(spec, templates, recorder, facts, cancel, began).await
        }
        told => told,
    }
}

/// The run up to the end of its story. Whatever happens, the machine and the HBAs end with it.
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

/// What the part of a run needs in which the guest is up.
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
            // Attached by the map, not when the disks were found.
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

    /// What runs in the guest, as far as it matters to the scenario.
    async fn versions(&self, guest: &Guest, keeper: &mut Keeper) -> Result<Versions, RunError> {
        let kernel = self.spec.image.release.clone();
        let multipath_tools = match self.spec.scenario.asks_for_multipath_tools() {
            true => keeper.drive(guest.multipath_tools()).await??,
            false => None,
        };
        Ok(Versions { kernel, multipath_tools })
    }

    /// Modules, discovery, maps, and what versions the guest has; then a lull.
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

    /// Leaves the guest alone for a while, in which it is saved if it is to be. Nothing before depends on
    /// the seed.
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

fn summarize(
    spec: &RunSpec,
    recorder: &Recorder<'_>,
    facts: &Facts,
    told: Result<Told, RunError>,
) -> Summary {
    let (verdict, reason) = match &told {
        Ok(told) => explain::verdict(told, &spec.scenario),
        Err(
            error @ (RunError::LacksModule { .. }
            | RunError::LacksProgram { .. }
            | RunError::NoModule(_)),
        ) => (Verdict::Skipped, Some(error.to_string())),
        Err(error) => (Verdict::Error, Some(error.to_string())),
    };
    let told = told.unwrap_or_default();
    let io = &told.workload;
    let seconds = |nanos: u64| nanos as f64 / 1e9;
    Summary {
        scenario: spec.id.file.display().to_string(),
        title: spec.scenario.title.clone(),
        covers: spec.scenario.covers.clone(),
        run: spec.id.repetition.map(|repetition| repetition.number),
        verdict,
        reason,
        seed: spec.seed,
        image: spec.id.image.clone(),
        kernel: facts.kernel.clone(),
        handler: facts.handler.clone(),
        manager: spec.scenario.setup.guest.manager.to_string(),
        qemu: facts.qemu.clone(),
        accelerator: spec.accel.accel.to_string(),
        time: spec.time.to_string(),
        exactness: spec.exactness(),
        boot: facts.boot.clone(),
        wall_s: 0.0,
        simulated_s: told.simulated.as_secs_f64(),
        started_s: facts.started.map(|started| started.as_secs_f64()),
        first_io_s: facts.first_io.map(|first| first.as_secs_f64()),
        timings: Timings::default(),
        cpu_s: facts.cpu,
        io: IoSummary {
            reads: io.reads,
            writes: io.writes,
            errors: io.errors,
            corrupt: io.corrupt.total(),
            stuck: io.stuck,
            longest_stall_s: seconds(io.longest_stall_ns),
            latency_p50_s: seconds(io.latency.p50_ns),
            latency_p99_s: seconds(io.latency.p99_ns),
        },
        commands: recorder.commands().clone(),
        faults: told.faults,
        witness: told.witness,
        rounds: told.rounds,
        outcomes: recorder.outcomes().clone(),
        expectations: told.expectations,
        added_to_guest: added_to_guest(spec),
        memory: MemorySummary { sansim: own_memory(), qemu: facts.qemu_memory },
        repeat: spec.repeat.clone(),
        parts: PartsSummary::now(&spec.image),
    }
}

/// Tells the reader what the lab is doing.
struct Tell<'r, 'a>(&'r Recorder<'a>);

impl Progress for Tell<'_, '_> {
    fn stage(&self, text: &str) {
        self.0.stage(text);
    }
}

/// What the guest has that its distribution does not give it.
fn added_to_guest(spec: &RunSpec) -> Vec<String> {
    let time = spec.time;
    let mut added = vec![
        "sansim-agent as PID 1 and /sbin/modprobe".to_owned(),
        format!("kernel command line {}", kernel_command_line(time)),
        "counters on scsi:scsi_dispatch_cmd_start, scsi:scsi_dispatch_cmd_error and scsi_send_eh_cmnd"
            .to_owned(),
    ];
    let wanted = spec.scenario.setup.guest.wanted_modules();
    added.extend(
        wanted.filter(|name| is_bundled_module(name)).map(|name| format!("our module {name}")),
    );
    if time == TimeMode::Skip {
        added.push(
            "a vhost-user-blk device without a driver at 0000:00:04.0, and a thread of the agent, woken \
             by virtqueue_add_sgs, that asks the lab through it and raises the virtio interrupts"
                .to_owned(),
        );
    }
    if spec.image.has_initrd {
        added.push("an initrd of the user's own".to_owned());
    }
    if spec.scenario.has_multipathd() {
        added.push(
            "/etc/multipath/conf.d/sansim.conf, which calls the maps lun0, lun1, …; the LUNs in \
             /etc/multipath/wwids"
                .to_owned(),
        );
    }
    added
}

/// Peak resident memory of this process, in bytes (`VmHWM` of proc(5)).
fn own_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
