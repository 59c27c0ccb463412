//! One run: a scenario, a guest image and a seed. It starts a machine, plays the story, and leaves a verdict
//! and a run directory.
//!
//! The scenario's script drives the stage: [`run`] prepares the stage, lets the script act on it until the
//! story is over, and decides the verdict. This crate may import the stage, the language and reports.

#![forbid(unsafe_code)]

pub mod bundle;
mod capture;
pub mod directory;
mod explain;
mod hold;
mod idle;
mod opening;
mod outputs;
mod record;
mod recorder;
mod script;
mod sink;
mod stopwatch;
mod story;
mod successor;
mod summary;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

pub use capture::{CAPTURE, MOST_CAPTURED, Traffic};
use directory::{DirectoryError, RunDirectory};
pub use explain::explain;
use hold::Lookout;
pub use hold::{Standing, Until};
pub use idle::may_be_for_nothing;
pub use opening::{Driver, Opened, on_stage};
pub use outputs::{Output, outputs};
pub use record::{Records, record};
pub use recorder::Recorded;
use recorder::Recorder;
use sansim_array::Stage as RunStage;
use sansim_lab::{
    AccelDecision, Boot, Checkpoint, Image, LabError, Machine, Marks, MemoryGauge, Needs, Progress,
    Templates, TimeMode, own_cpu_time,
};
use sansim_language::{Scenario, resolved_toml};
use sansim_protocol::Event as AgentEvent;
use sansim_report::{exactness::Exactness, timings::CpuSummary, verdict::Summary};
pub use sansim_stage::{Input, LoadedModule, SanError, Terminal};
use sansim_stage::{
    Parts, Setup, Stage, StageError, Wire,
    event::{StoryTime, What},
};
pub use script::Script;
pub use sink::{Repetition, RunId, Sink};
pub use stopwatch::Part;
use story::{Story, Told};
pub use successor::{Left, Successor, Taken};
use summary::summarize;
use tokio::sync::mpsc::Receiver;
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
    /// How long the run may take of the host's time, after which it ends with the verdict `error`; `None`
    /// for a run that somebody looks at.
    pub host_timeout: Option<Duration>,
    /// The moment at which to stop the story and call [`Sink::held`] or [`Sink::terminal`].
    pub until: Option<Until>,
    /// Whether to record the guest's questions, so that the story can be [saved](sansim_lab::Hold::save) at
    /// that moment.
    pub write_down: bool,
    /// Whether to mark the code of the guest's kernel modules that is executed, for [`Finished::marks`].
    pub marks: bool,
    /// What of the traffic to write to the run's directory for Wireshark; `None` for nothing.
    pub capture: Option<Traffic>,
    /// A saved story to continue from. Up to that moment the scenario must be the same as the saved one;
    /// otherwise the run fails.
    pub from: Option<Arc<Checkpoint>>,
}

impl RunSpec {
    /// What the run needs of the host.
    pub fn needs(&self) -> Needs {
        let setup = &self.scenario.setup;
        let Setup { guest, hbas, .. } = setup;
        let luns = setup.luns().map(|lun| lun.bytes).fold(0, u64::saturating_add);
        Needs::of_run(guest.memory, luns, hbas.iter().map(|hba| hba.request_queues))
    }

    /// Whether a repetition of the run gives the same events, byte for byte.
    pub fn exactness(&self) -> Exactness {
        Exactness::of(self.accel.accel, self.scenario.setup.guest.cpus, self.time)
    }

    /// A text that identifies everything that influences discovery: stories with the same text share a
    /// checkpoint. `None` if the story cannot start from a checkpoint. The seed is not part of it: only faults
    /// depend on chance, and stories with faults during discovery have no checkpoint.
    fn in_common(&self) -> Option<String> {
        let Setup { guest, arrays, metro, hbas, command_timeout, faults, .. } =
            &self.scenario.setup;
        let unseen = faults.iter().all(|rule| rule.when.stage == Some(RunStage::Story));
        let fit = self.exactness().is_exact() && unseen && !self.write_down;
        let asks = self.scenario.asks_for_multipath_tools();
        fit.then(|| format!("{guest:?} {arrays:?} {metro:?} {hbas:?} {command_timeout:?} {asks}"))
    }
}

/// A run with its verdict.
#[derive(Debug)]
pub struct Finished {
    /// The contents of `summary.json`.
    pub summary: Summary,
    /// The timeline and the last commands.
    pub recorded: Recorded,
    /// The code of kernel modules that the guest has executed, from its boot to the end of the story; `None` unless
    /// [`RunSpec::marks`] asks for it, or if the guest did not start.
    pub marks: Option<Marks>,
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
    /// The story was left to the sink's [`Successor`], which has ended.
    #[error("the story was left to a live lab, which has ended")]
    TakenOver,
    /// The image, QEMU or the guest failed.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The simulated array or an HBA failed.
    #[error(transparent)]
    San(#[from] SanError),
    /// The run's directory cannot be written.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The run took longer of the host's time than it may.
    #[error(
        "the run took more than {} s of the host's time and was ended ({doing}): a program in the guest may spin or \
         flood its console, or the host is too busy; --host-timeout sets the bound",
        after.as_secs()
    )]
    HostTimeout {
        /// The bound.
        after: Duration,
        /// How far it was, in words.
        doing: String,
    },
    /// The memory for the contents of the LUNs is full.
    #[error(
        "the memory for what is written to the LUNs is full at {bytes} bytes: give the scenario more, or an answer for \
         the guest ([array] memory and when_full), or run fewer jobs"
    )]
    LunsFull {
        /// Its size.
        bytes: u64,
    },
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
    /// multipath.conf needs newer multipath-tools than the image has.
    #[error("{0}")]
    NewerTools(String),
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
            StageError::NewerTools(why) => RunError::NewerTools(why),
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
    marks: Option<Marks>,
    started: Option<Duration>,
    first_io: Option<Duration>,
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
    if spec.capture.is_some() {
        recorder.capture(spec.scenario.setup.nexuses().collect());
    }
    // Exact runs need no trace: their files are compared.
    if spec.id.repetition.is_some() && !spec.exactness().is_exact() {
        recorder.trace();
    }
    let (kernel, memory) = (spec.image.release.clone(), Arc::clone(memory));
    let mut facts = Facts { kernel, memory, ..Facts::default() };
    let told = match lacking(spec) {
        Some(error) => Err(Late::Other(error)),
        None => {
            let console = recorder.directory().console();
            let (recorder, facts) = (&mut recorder, &mut facts);
            let expectations = spec.scenario.expectations.len();
            let cancel = cancel.child_token();
            let mut script = Scripted { recorder, facts, cancel: &cancel, began, expectations };
            let told = on_stage(spec, console, templates, &cancel, &mut script);
            within(spec.host_timeout, &cancel, told).await
        }
    };
    let told = told.map_err(|late| late.into_error(recorder.latest()));
    let told = match told {
        Err(
            error @ (RunError::Interrupted
            | RunError::Left { .. }
            | RunError::TakenOver
            | RunError::Directory(_)
            | RunError::Lab(LabError::AnotherStory { .. })),
        ) => return Err(error),
        told => told,
    };
    let mut summary = summarize(spec, &recorder, &facts, told);
    summary.capture = recorder.captured()?;
    summary.timings = recorder.timings();
    summary.cpu_s.sansim = spec.alone.then(|| own_cpu_time().saturating_sub(spent).as_secs_f64());
    summary.wall_s = began.elapsed().as_secs_f64();
    let verdict =
        What::Verdict { verdict: summary.verdict.to_string(), reason: summary.reason.clone() };
    recorder.emit_last(verdict);
    let recorded = recorder.finish(&summary)?;
    Ok(Finished { summary, recorded, marks: facts.marks })
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
    let recorder = Recorder::new(spec.id.clone(), directory, sink);
    let console = recorder.directory().console();
    on_stage(spec, console, templates, cancel, &mut Surveyor(&recorder)).await
}

/// How long a run that is being ended may take for it. Then it is left as it is, and QEMU killed.
const GRACE: Duration = Duration::from_secs(15);

/// Why a run came to no end of its own.
enum Late {
    Timeout(Duration),
    Other(RunError),
}

impl Late {
    /// The error of a run whose story was at `t` seconds.
    fn into_error(self, t: f64) -> RunError {
        match self {
            Late::Timeout(after) => {
                RunError::HostTimeout { after, doing: format!("the story was at {t:.3} s") }
            }
            Late::Other(error) => error,
        }
    }
}

/// Waits for a run. After `limit`, it is cancelled, and dropped if it does not end then.
async fn within<T>(
    limit: Option<Duration>,
    cancel: &Cancel,
    run: impl Future<Output = Result<T, RunError>>,
) -> Result<T, Late> {
    let Some(limit) = limit else { return run.await.map_err(Late::Other) };
    tokio::pin!(run);
    if let Ok(told) = tokio::time::timeout(limit, &mut run).await {
        return told.map_err(Late::Other);
    }
    let interrupted = cancel.is_cancelled();
    cancel.cancel();
    match tokio::time::timeout(GRACE, run).await {
        // It came to its end after all.
        Ok(Ok(told)) => Ok(told),
        _ if interrupted => Err(Late::Other(RunError::Interrupted)),
        _ => Err(Late::Timeout(limit)),
    }
}

/// An error if the scenario needs a module or program that the image lacks.
fn lacking(spec: &RunSpec) -> Option<RunError> {
    let (image, name) = (&spec.image, || spec.id.image.clone());
    let module = spec.scenario.setup.wanted_modules().find_map(|module| {
        let why = image.lacks(&module)?.to_owned();
        Some(RunError::LacksModule { image: name(), module, why })
    });
    module.or_else(|| {
        let program = spec.scenario.wanted_programs().find(|p| image.lacks_program(p))?.to_owned();
        Some(RunError::LacksProgram { image: name(), program })
    })
}

/// Lists the modules at the beginning of the story, and ends it.
struct Surveyor<'r, 'a>(&'r Recorder<'a>);

impl Progress for Surveyor<'_, '_> {
    fn stage(&self, text: &str) {
        self.0.stage(text);
    }
}

impl Driver for Surveyor<'_, '_> {
    type Told = Vec<LoadedModule>;

    fn enter(&mut self, part: Part) {
        part.in_words().into_iter().for_each(|text| self.stage(text));
    }

    async fn play(&mut self, opened: Opened<'_>) -> Result<Vec<LoadedModule>, RunError> {
        let Parts { guest, mut keeper, .. } = opened.parts;
        Ok(keeper.drive(guest.loaded_modules()).await??)
    }
}

/// The scenario's script as the driver.
struct Scripted<'w, 'a> {
    recorder: &'w mut Recorder<'a>,
    facts: &'w mut Facts,
    cancel: &'w Cancel,
    began: Instant,
    /// The number of expectations in the scenario, for whatever versions.
    expectations: usize,
}

impl Progress for Scripted<'_, '_> {
    fn stage(&self, text: &str) {
        self.recorder.stage(text);
    }
}

impl Driver for Scripted<'_, '_> {
    type Told = Told;

    fn enter(&mut self, part: Part) {
        self.recorder.enter(part);
    }

    fn up(&mut self, machine: &Machine, boot: Boot) {
        self.facts.boot = boot.to_string();
        self.facts.started = Some(self.began.elapsed());
        let _ = self.facts.memory.set(machine.gauge());
        self.facts.qemu = machine.qemu_version().to_owned();
    }

    fn untold(&mut self, clockwork: StoryTime, mut wire: Wire, mut events: Receiver<AgentEvent>) {
        self.recorder.clockwork = clockwork;
        while let Ok(change) = wire.changes.try_recv() {
            self.recorder.change(&change);
        }
        while let Ok(record) = wire.commands.try_recv() {
            self.recorder.command(&record);
        }
        while let Ok(event) = events.try_recv() {
            self.recorder.agent(&event);
        }
    }

    async fn play(&mut self, opened: Opened<'_>) -> Result<Told, RunError> {
        let Opened { parts, scenario, clockwork, versions, handler, incomplete, first } = opened;
        self.recorder.clockwork = clockwork;
        first.into_iter().for_each(|what| self.recorder.emit_at(0.0, what));
        self.facts.handler = handler;
        self.recorder.enter(Part::Story);
        let stage = Stage::begin(parts, scenario.expectations.iter().flat_map(|it| it.counted()))?;
        let handler = self.facts.handler.clone();
        let elsewhere = self.expectations - scenario.expectations.len();
        let (recorder, cancel) = (&mut *self.recorder, self.cancel.clone());
        let mut story =
            Story::begin(&scenario, elsewhere, &versions, handler, stage, recorder, cancel);
        story.incomplete = incomplete;
        let told = story.tell(self.began).await?;
        self.facts.first_io = told.first_io;
        Ok(told)
    }

    fn down(&mut self, machine: &Machine) {
        self.facts.qemu_memory = machine.memory_usage();
        let marks = machine.marks();
        let lost = |error: &LabError| tracing::warn!("the run has no coverage: {error}");
        self.facts.marks = marks.inspect_err(lost).unwrap_or_default();
        self.facts.cpu.qemu = machine.cpu_time().map(|time| time.as_secs_f64());
    }
}
