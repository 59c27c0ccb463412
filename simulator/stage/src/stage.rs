//! The running SAN and guest: performs acts and reports what happens.

mod taking;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use sansim_array::{Action, Array, CommandRecord, Lun, StateChange};
use sansim_hba::HbaServer;
use sansim_lab::{Hold, Keeper, LabError, Machine};
use sansim_protocol::{Event as AgentEvent, Happening, WorkloadReport};
use sansim_time::{Clock, Pacer, Time};
use tokio::sync::{Notify, mpsc};

use crate::{
    Act, Brought, Counted, Guest, Maps, Paths, Seen, Setup, StageError, Terminal, Wire, Witness,
    World,
    event::{IoKind, StoryTime, What},
    fill::{Form, MapNames, fill},
    hands::Hands,
    terminal::Terminals,
    workloads::Workloads,
};

/// The maximum interval between the guest's questions while its clock keeps pace with the host's, so
/// that it does not get ahead.
const BEAT: Duration = Duration::from_millis(20);

/// Something that happened on the stage.
#[derive(Debug)]
pub enum Incoming {
    /// The array completed a command.
    Command(CommandRecord),
    /// The state of the array changed.
    Change(StateChange),
    /// The agent reported something.
    Agent(AgentEvent),
    /// An act in the guest has ended, successfully or not.
    Done {
        /// The name given to [`Stage::act`].
        name: Arc<str>,
        /// The result of the act, or why it failed.
        brought: Result<Brought, String>,
    },
    /// The program in a terminal of [`Stage::connect`] has ended.
    TerminalEnded {
        /// The number from [`Stage::connect`].
        terminal: u32,
        /// The exit code; `None` if the program was killed.
        code: Option<i32>,
    },
    /// The time set with [`Stage::wake_at`] has come.
    Alarm,
    /// The guest is stopped, and all its requests have been served.
    Settled,
}

impl Incoming {
    /// Calls `see` for each observation in it that a driver can wait for.
    pub fn each_seen(&self, mut see: impl FnMut(&Seen<'_>)) {
        match self {
            Incoming::Command(_) => see(&Seen::Command),
            Incoming::Change(change) => see(&Seen::Change(change)),
            Incoming::Agent(event) => {
                if let Some(line) = event.what.log_line() {
                    see(&Seen::Log(&line));
                }
                if let Happening::Map(status) = &event.what {
                    see(&Seen::Map(status));
                }
            }
            // Which act is a step is the driver's knowledge.
            Incoming::Done { .. }
            | Incoming::TerminalEnded { .. }
            | Incoming::Alarm
            | Incoming::Settled => {}
        }
    }
}

/// An act in the guest that is in progress.
type Task = Pin<Box<dyn Future<Output = (Arc<str>, Result<Brought, String>)> + Send>>;

/// The future report of a workload that is being stopped.
pub type Answer = Pin<Box<dyn Future<Output = Result<WorkloadReport, LabError>> + Send>>;

/// The first of two: something that happens, or an answer.
#[derive(Debug)]
pub enum Before {
    /// Something happened before the answer.
    Incoming(Incoming),
    /// The answer arrived.
    Answer(Result<WorkloadReport, LabError>),
}

/// The parts of a stage.
pub struct Parts<'m> {
    /// The guest and the SAN.
    pub setup: Arc<Setup>,
    /// The run's seed.
    pub seed: u64,
    /// The array.
    pub array: Arc<Array>,
    /// The clock of the run.
    pub clock: Arc<dyn Clock>,
    /// The HBAs, by number.
    pub hbas: Vec<Arc<HbaServer>>,
    /// The channels on which the array reports.
    pub wire: Wire,
    /// The machine in which the guest runs.
    pub machine: &'m Machine,
    /// The guest's agent.
    pub guest: Guest,
    /// The channel on which the agent reports.
    pub events: mpsc::Receiver<AgentEvent>,
    /// The guest's clock.
    pub keeper: Keeper,
    /// The disks by path.
    pub paths: Paths,
    /// The maps as they were built.
    pub maps: Maps,
}

/// A running SAN and guest.
pub struct Stage<'m> {
    setup: Arc<Setup>,
    seed: u64,
    array: Arc<Array>,
    clock: Arc<dyn Clock>,
    hbas: Vec<Arc<HbaServer>>,
    wire: Wire,
    machine: &'m Machine,
    guest: Guest,
    events: mpsc::Receiver<AgentEvent>,
    keeper: Keeper,
    paths: Arc<Paths>,
    maps: Maps,
    world: World,
    start: Time,
    /// Acts in progress. They are polled with everything else, so that the guest does not continue
    /// before its answer to an act has been processed.
    tasks: FuturesUnordered<Task>,
    terminals: Terminals,
    /// Set while the guest is paused.
    held: Option<Hold>,
    /// Set while the guest's clock keeps pace with the host's.
    pacer: Option<Pacer>,
    /// When the guest is made to ask next, while its clock keeps pace with the host's.
    beat: Time,
    alarm: Arc<Notify>,
    armed_for: Option<Time>,
    workloads: Workloads,
    complaint: Option<String>,
}

impl<'m> Stage<'m> {
    /// Begins the story: story time is zero now. `counted` is what must be counted so that the
    /// conditions can be evaluated.
    ///
    /// # Errors
    /// If the array refuses to begin the story.
    pub fn begin(
        parts: Parts<'m>,
        counted: impl IntoIterator<Item = Counted>,
    ) -> Result<Self, StageError> {
        let Parts { setup, seed, array, clock, hbas, wire, machine, guest, .. } = parts;
        let Parts { events, keeper, paths, maps, .. } = parts;
        let start = clock.now();
        array
            .apply(start, Action::BeginStory)
            .map_err(|error| StageError::Unready(error.to_string()))?;
        let waiting = setup.workload.as_ref();
        let workloads = Workloads::new(waiting.map(|it| (it.lun, start + it.start)));
        let mut world = World::new(&setup, paths.places(), counted);
        let luns = array.view().luns;
        let owners = luns.iter().map(|lun| (lun.lun, lun.owner));
        let replications = luns.iter().filter_map(|lun| Some((lun.lun, lun.replication?)));
        world.begin_with(owners, replications);
        maps.statuses().for_each(|status| world.on_map(status));
        let terminals = Terminals::new(guest.clone());
        Ok(Stage {
            setup,
            seed,
            array,
            clock,
            hbas,
            wire,
            machine,
            guest,
            events,
            keeper,
            paths: Arc::new(paths),
            maps,
            world,
            start,
            tasks: FuturesUnordered::new(),
            terminals,
            held: None,
            pacer: None,
            beat: Time::ZERO,
            alarm: Arc::new(Notify::new()),
            armed_for: None,
            workloads,
            complaint: None,
        })
    }

    /// Counts this from now on, from 0, for conditions that are evaluated from now on.
    pub fn count(&mut self, counted: impl IntoIterator<Item = Counted>) {
        counted.into_iter().for_each(|counted| self.world.count(counted));
    }

    /// Whether guest time is skipped, rather than real.
    pub fn skips(&self) -> bool {
        self.keeper.skips()
    }

    /// The current time of the clock of the run.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time of the run's clock at which story time was zero.
    pub fn start(&self) -> Time {
        self.start
    }

    /// The machine in which the guest runs.
    pub fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// The array.
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// The disks by path.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The guest and the SAN as they were at the start.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The guest's agent, for calls that are not acts. They get on while [`Stage::next`] is called.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Replaces the placeholders in the words of a command by device paths.
    ///
    /// # Errors
    /// If a word is malformed, or the guest does not have such a disk.
    pub fn filled(&self, argv: &[String]) -> Result<Vec<String>, String> {
        let main = self.setup.main_lun();
        let names = MapNames(self.world.map_names());
        argv.iter().map(|word| fill(word, Form::Path, &self.paths, &names, main)).collect()
    }

    /// The last known statuses of the multipath maps.
    pub fn maps(&self) -> &Maps {
        &self.maps
    }

    /// What has been observed so far.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Updates the world's counts of fault rule firings. This is automatic after commands and
    /// changes.
    pub fn count_rules(&mut self) {
        self.world.on_rule_matches(&self.array.rule_matches());
    }

    /// The first kernel log line that reports a problem and is not allowed by the setup.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// The start time of the setup's workload, if it has not started yet.
    pub fn workload_starts(&self) -> Option<Time> {
        self.workloads.starts()
    }

    /// The LUNs whose maps have a workload that runs, in order.
    pub fn workloads(&self) -> impl Iterator<Item = Lun> + '_ {
        self.workloads.running()
    }

    /// The reports of the workloads that have stopped, added up; `None` if none has.
    pub fn report(&self) -> Option<&WorkloadReport> {
        self.workloads.report()
    }

    /// Starts the setup's workload if its start time has come. If it cannot be started, it never
    /// will: the event says why.
    ///
    /// # Errors
    /// If the guest or the agent fails.
    pub async fn start_workload_if_due(&mut self, now: Time) -> Result<Option<What>, StageError> {
        let (Some(at), Some(workload)) = (self.workloads.starts(), &self.setup.workload) else {
            return Ok(None);
        };
        if at > now {
            return Ok(None);
        }
        let (lun, device) = (workload.lun, self.world.map_name(workload.lun));
        let started = self.guest.start_workload(workload, device, self.seed);
        match self.keeper.drive(started).await? {
            Ok(()) => {
                self.workload_started(lun);
                Ok(None)
            }
            Err(LabError::AgentFailed { why, .. }) => {
                self.workloads.refused(&why);
                let text = format!("the workload of LUN {lun} cannot start: {why}");
                Ok(Some(What::Io { what: IoKind::NoStart, map: None, text, offset: None }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why the setup's workload could not be started; `None` if it could, or waits.
    pub fn workload_refused(&self) -> Option<&str> {
        self.workloads.refusal_at_start()
    }

    /// Performs an act. An act on the array takes no time, and its result is returned. An act in
    /// the guest is started, and [`Incoming::Done`] reports its end under this name.
    pub fn act(&mut self, name: &Arc<str>, act: &Act) -> Option<Result<Brought, String>> {
        if let Act::Array(action) = act {
            self.world.on_action(action);
            let applied = self.array.apply(self.clock.now(), action.clone());
            if applied.is_ok() {
                self.world.on_done(name);
            }
            return Some(applied.map(|()| Brought::Nothing).map_err(|error| error.to_string()));
        }
        if let Act::StartWorkload(workload) = act
            && let Some(why) = self.workloads.refusal(workload.lun)
        {
            return Some(Err(why));
        }
        let hands = Hands {
            seed: self.seed,
            guest: self.guest.clone(),
            paths: Arc::clone(&self.paths),
            main_lun: self.setup.main_lun(),
            map_names: MapNames(self.world.map_names()),
        };
        let (name, act) = (Arc::clone(name), act.clone());
        self.tasks.push(Box::pin(async move { (name, hands.perform(act).await) }));
        None
    }

    /// Requests [`Incoming::Alarm`] at this time. Replaces an earlier request.
    pub fn wake_at(&mut self, at: Time) {
        if self.armed_for != Some(at) || at <= self.clock.now() {
            let alarm = Arc::clone(&self.alarm);
            self.clock.call_at(at, Box::new(move || alarm.notify_one()));
            self.armed_for = Some(at);
        }
    }

    /// Lets the guest's clock run at most at the speed of the host's, or as fast as it can. In exact
    /// time, it is enough to delay the answer to the guest's question until the host's clock has
    /// reached the same time. In real time the guest's clock is the host's anyway.
    pub fn keep_pace(&mut self, keep: bool) {
        let skips = self.keeper.skips();
        self.pacer = (keep && skips).then(|| Pacer::new(self.clock.now(), Instant::now()));
    }

    /// Stops the guest and everything that waits in the array, until [`Stage::resume`]. In exact
    /// time, go on calling [`Stage::next`]: the guest may stop only after a few more questions.
    pub async fn pause(&mut self) {
        if self.held.is_none() {
            self.held = Some(self.machine.hold().await);
            self.clock.pause(true);
        }
    }

    /// Lets a stage continue that was paused. Returns whether it was.
    pub fn resume(&mut self) -> bool {
        self.clock.pause(false);
        let pacing = self.pacer.is_some();
        self.keep_pace(pacing);
        self.held.take().is_some()
    }

    /// Whether the stage is paused.
    pub fn is_paused(&self) -> bool {
        self.held.is_some()
    }

    /// Story time, measured again: a pause can shift the guest's clock against that of the run. Not
    /// while the stage is paused.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn story_time(&mut self) -> Result<StoryTime, LabError> {
        let guest = self.guest.clone();
        let guest_now = self.keeper.drive(guest.now()).await??;
        Ok(StoryTime::new(self.clock.now(), guest_now, self.start))
    }

    /// How long the guest has to wait for the host's clock. Makes the guest ask again soon.
    fn ahead(&mut self) -> Duration {
        let now = self.clock.now();
        let Some(pacer) = &mut self.pacer else { return Duration::ZERO };
        if self.beat <= now {
            self.beat = now + BEAT;
            self.clock.call_at(self.beat, Box::new(|| ()));
        }
        match self.terminals.are_handing() {
            // Input is delivered with the answer to the open question.
            true => Duration::ZERO,
            false => pacer.ahead(now, Instant::now()),
        }
    }

    /// Connects a terminal to a program in the guest. Returns its number. Its input and output are
    /// passed on by [`Stage::next`], until [`Incoming::TerminalEnded`].
    ///
    /// # Errors
    /// If the guest or the agent fails, or there is no such program.
    pub async fn connect(&mut self, mut terminal: Terminal) -> Result<u32, StageError> {
        let opening = self.terminals.open(&mut terminal);
        let number = self.keeper.drive(opening).await??;
        self.terminals.connect(number, terminal);
        Ok(number)
    }

    /// Waits for the next thing that happens. What the array did comes before the guest's reaction
    /// to it. In skipped time, the guest continues when nothing else is pending. Cancelling the
    /// future loses nothing.
    ///
    /// # Errors
    /// If the guest is gone.
    pub async fn next(&mut self) -> Result<Incoming, StageError> {
        let machine = self.machine;
        loop {
            self.terminals.show().await;
            let ahead = self.ahead();
            let incoming = tokio::select! {
                biased;
                Some(change) = self.wire.changes.recv() => Incoming::Change(change),
                Some(record) = self.wire.commands.recv() => Incoming::Command(record),
                event = self.events.recv() => match event {
                    Some(event) => match self.shown(event) {
                        Some(incoming) => incoming,
                        None => continue,
                    },
                    None => return Err(machine.failed().await.into()),
                },
                Some((name, brought)) = self.tasks.next() => Incoming::Done { name, brought },
                () = self.alarm.notified() => Incoming::Alarm,
                _ = machine.exited() => return Err(machine.failed().await.into()),
                passed = self.terminals.pass() => {
                    passed?;
                    continue;
                }
                () = tokio::time::sleep(ahead), if !ahead.is_zero() => continue,
                settled = self.keeper.settle(), if ahead.is_zero() => {
                    settled?;
                    Incoming::Settled
                }
            };
            return Ok(incoming);
        }
    }

    /// The event, unless it is output of a terminal, which is kept to be shown.
    fn shown(&mut self, event: AgentEvent) -> Option<Incoming> {
        match event.what {
            Happening::Shown { terminal, bytes } => {
                self.terminals.keep(terminal, bytes.0);
                None
            }
            Happening::TerminalClosed { terminal, code } if self.terminals.close(terminal) => {
                Some(Incoming::TerminalEnded { terminal, code })
            }
            _ => Some(Incoming::Agent(event)),
        }
    }

    /// Returns what has already arrived, without waiting.
    pub fn arrived(&mut self) -> Option<Incoming> {
        if let Ok(change) = self.wire.changes.try_recv() {
            return Some(Incoming::Change(change));
        }
        if let Ok(record) = self.wire.commands.try_recv() {
            return Some(Incoming::Command(record));
        }
        self.events.try_recv().ok().map(Incoming::Agent)
    }

    /// Stops the first workload that runs: waits for I/O in flight and reads back what was written.
    /// Returns its LUN; `None` if no workload runs. Await the answer with [`Stage::next_before`] and
    /// pass its report to [`Stage::workload_stopped`].
    pub fn stop_workload(&self) -> Option<(Lun, Answer)> {
        let lun = self.workloads.first_running()?;
        let guest = self.guest.clone();
        Some((lun, Box::pin(async move { guest.stop_workload(lun).await })))
    }

    fn workload_started(&mut self, lun: Lun) {
        self.world.on_workload_start(lun);
        self.workloads.started(lun);
    }

    /// Records that the workload of a LUN has stopped with this report.
    pub fn workload_stopped(&mut self, lun: Lun, report: WorkloadReport) {
        self.world.on_workload(lun, &report);
        self.workloads.stopped(lun, report);
    }

    /// Waits for the next thing that happens or for the answer, whichever comes first. Acts in
    /// progress do not end meanwhile.
    ///
    /// # Errors
    /// If the guest is gone.
    pub async fn next_before(&mut self, answer: &mut Answer) -> Result<Before, StageError> {
        let next = tokio::select! {
            biased;
            Some(change) = self.wire.changes.recv() => Before::Incoming(Incoming::Change(change)),
            Some(record) = self.wire.commands.recv() => Before::Incoming(Incoming::Command(record)),
            Some(event) = self.events.recv() => Before::Incoming(Incoming::Agent(event)),
            report = answer => Before::Answer(report),
            settled = self.keeper.settle() => {
                settled?;
                Before::Incoming(Incoming::Settled)
            }
        };
        Ok(next)
    }

    /// Asks the guest and the HBAs for the number of commands.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn witness(&mut self) -> Result<Witness, LabError> {
        let hbas = self.hbas.iter().map(AsRef::as_ref);
        Witness::call(&self.guest, hbas, &mut self.keeper).await
    }

    /// The current maps as multipathd reports them, or why it does not, as an event.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub async fn multipathd_view(&mut self) -> Result<What, LabError> {
        let guest = self.guest.clone();
        self.keeper.drive(guest.multipathd_view()).await?
    }

    /// Waits until the guest is no longer held by anyone.
    ///
    /// # Errors
    /// If the guest is gone.
    pub async fn let_go(&mut self) -> Result<(), LabError> {
        let machine = self.machine;
        self.keeper.drive(machine.let_go()).await
    }
}
