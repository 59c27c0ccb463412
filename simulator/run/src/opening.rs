//! Opens a stage for a driver: starts the machine, finds the disks, builds the maps; and closes it
//! again.

use std::{path::PathBuf, sync::Arc, time::Duration};

use sansim_lab::{
    Boot, Keeper, LULL, LabError, Machine, MachineConfig, Progress, Templates, WorkDir, most_runs,
};
use sansim_language::{Scenario, Versions};
use sansim_protocol::Event as AgentEvent;
use sansim_stage::{
    Guest, Incomplete, Pace, Parts, Place, Prepared, Preparing, San, SanError, Start, Up, Wire,
    bring_up,
    event::{StoryTime, What},
    prepare,
};
use tokio::{
    sync::mpsc::{self, Receiver},
    time::{Instant, interval_at},
};

use crate::{Cancel, RunError, RunSpec, capture::Traffic, stopwatch::Part};

/// How often a long preparation says how far it is, in host time.
const NEWS: Duration = Duration::from_secs(1);

/// What drives a stage: a script, a person, chance. It follows the opening of the stage, and then acts
/// on it.
pub trait Driver: Progress {
    /// What the story comes to.
    type Told;

    /// The next part of the run begins.
    fn enter(&mut self, part: Part);

    /// The machine is up.
    fn up(&mut self, _machine: &Machine, _boot: Boot) {}

    /// The story could not begin. What happened until then has not been told to anybody: the times of
    /// `clockwork` are before that moment.
    fn untold(&mut self, _clockwork: StoryTime, _wire: Wire, _events: Receiver<AgentEvent>) {}

    /// Whether the story begins only when multipathd has built the maps. In skipped time it always
    /// does.
    fn awaits_multipathd(&self) -> bool {
        true
    }

    /// Acts on the stage, until the story is over.
    fn play(&mut self, opened: Opened<'_>) -> impl Future<Output = Result<Self::Told, RunError>>;

    /// The machine is about to be stopped.
    fn down(&mut self, _machine: &Machine) {}
}

/// A stage that is ready for its story.
pub struct Opened<'m> {
    /// The parts of the stage.
    pub parts: Parts<'m>,
    /// The scenario, with only the expectations that apply to `versions`.
    pub scenario: Scenario,
    /// Converts to story time; the story has not begun.
    pub clockwork: StoryTime,
    /// The versions of kernel and multipath-tools, as far as the scenario depends on them.
    pub versions: Versions,
    /// The device handlers of the disks.
    pub handler: String,
    /// What is not complete.
    pub incomplete: Vec<Incomplete>,
    /// The first events of the story.
    pub first: Vec<What>,
}

/// Opens a stage, lets the driver act on it, and closes it in any case. `console` is the file for the
/// guest's serial console.
///
/// # Errors
/// `Interrupted` by `cancel` while the stage is being opened; those of the lab, of the SAN, and of
/// [`Driver::play`].
pub async fn on_stage<D: Driver>(
    spec: &RunSpec,
    console: PathBuf,
    templates: &Templates,
    cancel: &Cancel,
    driver: &mut D,
) -> Result<D::Told, RunError> {
    match once(spec, console.clone(), templates, cancel, driver).await {
        Err(RunError::Lab(LabError::AnotherStory { why })) if spec.from.is_none() => {
            // The checkpoint has been removed: this attempt starts from the template.
            tracing::warn!("a checkpoint belongs to another story and is made again: {why}");
            once(spec, console, templates, cancel, driver).await
        }
        told => told,
    }
}

/// One attempt, which always stops the machine and the HBAs.
async fn once<D: Driver>(
    spec: &RunSpec,
    console: PathBuf,
    templates: &Templates,
    cancel: &Cancel,
    driver: &mut D,
) -> Result<D::Told, RunError> {
    most_runs(spec.needs(), 1)?;
    let work = WorkDir::create()?;
    let pace = Pace::new(spec.time);
    let (san, wire) = San::start(&spec.scenario.setup, spec.seed, &pace, work.path())?;
    san.array.keep_data(spec.capture.map_or(0, Traffic::data_bytes));
    let config = machine_config(spec, &work, &san, console);
    let start = Start {
        setup: &spec.scenario.setup,
        time: spec.time,
        cold: spec.cold,
        from: spec.from.as_ref(),
        in_common: spec.in_common(),
    };
    let started = tokio::select! {
        () = cancel.cancelled() => Err(RunError::Interrupted),
        started = bring_up(start, config, templates, driver) => started.map_err(Into::into),
    };
    let told = match started {
        Err(error) => Err(error),
        Ok(Up { mut machine, boot, at }) => {
            driver.up(&machine, boot);
            let mut opening = Opening { spec, san: &san, pace, cancel, at };
            let told = match opening.open(&mut machine, wire, driver).await {
                Ok(opened) => driver.play(opened).await,
                Err(error) => Err(error),
            };
            if let (Err(RunError::Lab(LabError::AnotherStory { .. })), Place::Start(start)) =
                (&told, &opening.at)
            {
                start.discard();
            }
            driver.enter(Part::Teardown);
            driver.down(&machine);
            machine.kill().await;
            told
        }
    };
    let trouble = san.trouble();
    san.stop();
    match (told, trouble) {
        (Err(RunError::Lab(_)), Some(why)) => Err(SanError::Serve(why).into()),
        (told, _) => told,
    }
}

fn machine_config(spec: &RunSpec, work: &WorkDir, san: &San, console: PathBuf) -> MachineConfig {
    let guest = &spec.scenario.setup.guest;
    MachineConfig {
        image: spec.image.clone(),
        accel: spec.accel.accel,
        time: spec.time,
        memory_mib: (guest.memory >> 20) as u32,
        cpus: guest.cpus,
        services: guest.services(),
        marks: spec.marks,
        hbas: san.sockets(),
        work_dir: work.path().to_owned(),
        console,
    }
}

/// From a machine that is up to a stage.
struct Opening<'r> {
    spec: &'r RunSpec,
    san: &'r San,
    pace: Pace,
    cancel: &'r Cancel,
    at: Place,
}

impl Opening<'_> {
    async fn open<'m>(
        &mut self,
        machine: &'m mut Machine,
        wire: Wire,
        driver: &mut impl Driver,
    ) -> Result<Opened<'m>, RunError> {
        let events = machine.events().ok_or_else(|| RunError::Story("no events".into()))?;
        let mut clockwork = StoryTime::default();
        let keeper = machine.keeper().ok_or_else(|| RunError::Story("no keeper".into()))?;
        let mut keeper = self.pace.rule(keeper, self.san.devices());
        if let Some(checkpoint) = self.at.checkpoint() {
            machine.tell_again(checkpoint);
        } else if self.spec.write_down || matches!(self.at, Place::Fresh(Some(_))) {
            keeper.write_down();
        }
        let machine = &*machine;
        let guest = Guest::new(machine.agent());
        let ready = tokio::select! {
            () = self.cancel.cancelled() => Err(RunError::Interrupted),
            error = machine.failed() => Err(RunError::Lab(error)),
            ready = self.prepare(machine, &guest, &mut keeper, driver, &mut clockwork) => ready,
        };
        let Ready { prepared, versions } = match ready {
            Ok(ready) => ready,
            Err(error) => {
                clockwork.begin(self.pace.clock().now());
                driver.untold(clockwork, wire, events);
                return Err(error);
            }
        };
        let Prepared { paths, maps, incomplete, first } = prepared;
        let scenario = self.spec.scenario.on(&versions);
        let handler = match &scenario.setup.guest.handler {
            // The map attaches the handler, not discovery.
            Some(named) if paths.handlers() == "detached" => named.clone(),
            _ => paths.handlers(),
        };
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
        Ok(Opened { parts, scenario, clockwork, versions, handler, incomplete, first })
    }

    /// Loads modules, discovers disks, builds maps and reads versions; then waits for a quiet
    /// period.
    async fn prepare(
        &mut self,
        machine: &Machine,
        guest: &Guest,
        keeper: &mut Keeper,
        driver: &mut impl Driver,
        clockwork: &mut StoryTime,
    ) -> Result<Ready, RunError> {
        *clockwork = self.pace.story_time(keeper.drive(guest.now()).await??);
        let awaits = keeper.skips() || driver.awaits_multipathd();
        let prepared = self.prepared(guest, keeper, awaits, driver).await?;
        let versions = self.versions(guest, keeper).await?;
        self.lull(machine, keeper).await?;
        keeper.drive(guest.seed(self.spec.seed)).await??;
        Ok(Ready { prepared, versions })
    }

    /// Prepares the guest, and tells how far it is.
    async fn prepared(
        &self,
        guest: &Guest,
        keeper: &mut Keeper,
        awaits: bool,
        driver: &mut impl Driver,
    ) -> Result<Prepared, RunError> {
        let setup = &self.spec.scenario.setup;
        let (tell, mut told) = mpsc::unbounded_channel();
        let on = move |preparing| tell.send(preparing).unwrap_or_default();
        let preparing = prepare(setup, &self.san.array, guest, keeper, awaits, on);
        tokio::pin!(preparing);
        let mut news = interval_at(Instant::now() + NEWS, NEWS);
        let mut at = Preparing::Modules;
        let mut said = None;
        loop {
            tokio::select! {
                biased;
                Some(next) = told.recv() => {
                    if at == next || Part::of(at) != Part::of(next) {
                        driver.enter(Part::of(next));
                    }
                    at = next;
                }
                prepared = &mut preparing => return prepared.map_err(Into::into),
                _ = news.tick() => {
                    let text = self.how_far(at);
                    text.iter().filter(|_| text != said).for_each(|text| driver.stage(text));
                    said = text;
                }
            }
        }
    }

    /// How far a long preparation is, in words.
    fn how_far(&self, preparing: Preparing) -> Option<String> {
        let setup = &self.spec.scenario.setup;
        match preparing {
            Preparing::Modules => None,
            Preparing::Discovery => {
                let luns = setup.luns();
                let disks: usize = luns.map(|lun| setup.paths_of(lun.lun).count()).sum();
                let commands: u64 = self.san.hbas.iter().map(|hba| hba.statistics().received).sum();
                Some(format!("finding {disks} disks: {commands} commands so far"))
            }
            Preparing::Maps { done, of } => Some(format!("building maps: {done} of {of}")),
        }
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

    /// Leaves the guest idle for a while, and saves a checkpoint if one is needed. Nothing before
    /// this point depends on the seed.
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

/// A guest with its maps, when it has come to rest.
struct Ready {
    prepared: Prepared,
    versions: Versions,
}
