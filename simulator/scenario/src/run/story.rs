//! The story itself: everything that happens arrives here, is recorded, and moves steps and
//! expectations on.

mod shell;

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use sansim_array::{Action, Class, CommandRecord, StateChange};
use sansim_hba::HbaServer;
use sansim_lab::{Keeper, LabError, Machine};
use sansim_protocol::{Event as AgentEvent, Happening, WorkloadReport};
use sansim_time::Time;
use tokio::sync::{Notify, mpsc};

pub use self::shell::{Input, Terminal};
use super::{
    Cancel, RunError, Standing,
    kernel_log::complaint,
    maps::Maps,
    recorder::Recorder,
    san::Wire,
    script::{self, Script, Seen, Stage},
    trial::Trial,
    witness::Witness,
};
use crate::{
    event::What,
    expect::World,
    lang::plan::{Ending, Manager, Scenario, Versions},
    verdict::ExpectationResult,
};

/// Something that arrives while a story goes on.
enum Incoming {
    Command(CommandRecord),
    Change(StateChange),
    Agent(Option<AgentEvent>),
    Step(usize, Result<script::Outcome, String>),
    Alarm,
    /// The guest stands still; what it sent has been served.
    Settled,
    /// The keeper has lost the guest.
    Lost(LabError),
    GuestGone,
    Cancelled,
}

/// A story that is going on.
pub(super) struct Story<'r, 'a> {
    scenario: &'r Scenario,
    seed: u64,
    stage: Stage,
    recorder: &'r mut Recorder<'a>,
    wire: &'r mut Wire,
    events: &'r mut mpsc::Receiver<AgentEvent>,
    keeper: Keeper,
    hbas: &'r [Arc<HbaServer>],
    cancel: Cancel,
    start: Time,
    world: World,
    maps: Maps,
    script: Script<'r>,
    trial: Trial<'r>,
    /// Steps that are being taken. Polled with everything else, so that the guest does not go on
    /// before its answer to one has been dealt with.
    tasks: FuturesUnordered<Task>,
    alarm: Arc<Notify>,
    armed_for: Option<Time>,
    workload: Workload,
    complaint: Option<String>,
    /// When the first I/O of the story was completed, by the host's clock.
    first_io: Option<Instant>,
    /// Since when nothing is left to wait for but the settling time.
    settled: Option<Time>,
    ended: bool,
}

/// A step that is being taken: which, and what comes of it.
type Task = Pin<Box<dyn Future<Output = (usize, Result<script::Outcome, String>)> + Send>>;

/// The event of a decision; of one that went wrong only what is wrong is told.
fn expect(result: ExpectationResult) -> What {
    let seen = if result.ok { result.seen } else { result.complaint() };
    What::Expect { text: result.text, ok: result.ok, seen }
}

/// How far the workload is.
enum Workload {
    None,
    Waiting(Time),
    Running,
    Stopped(WorkloadReport),
}

/// What a story leaves.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Every expectation with what became of it.
    pub(super) expectations: Vec<ExpectationResult>,
    /// The workload's report, if there was one.
    pub(super) workload: WorkloadReport,
    /// The first complaint of the kernel that the scenario does not allow.
    pub(super) complaint: Option<String>,
    /// Whether the story had to be ended by its limit.
    pub(super) over_limit: bool,
    /// The steps that were still waited for at the limit, in words.
    pub(super) open: Vec<String>,
    /// How long it took.
    pub(super) simulated: Duration,
    /// The most pg_init rounds of any map.
    pub(super) rounds: u32,
    /// What the guest and the array say of the commands.
    pub(super) witness: Witness,
    /// How often each fault rule fired.
    pub(super) faults: BTreeMap<String, u64>,
    /// Time from the beginning of the run to the first I/O on a map, by the host's clock.
    pub(super) first_io: Option<Duration>,
}

/// What a story needs to begin.
pub(super) struct Setting<'r, 'a> {
    /// The scenario.
    pub(super) scenario: &'r Scenario,
    /// The run's seed.
    pub(super) seed: u64,
    /// What steps are carried out with.
    pub(super) stage: Stage,
    /// Where events go.
    pub(super) recorder: &'r mut Recorder<'a>,
    /// What the array reports.
    pub(super) wire: &'r mut Wire,
    /// What the agent reports.
    pub(super) events: &'r mut mpsc::Receiver<AgentEvent>,
    /// The guest's clock.
    pub(super) keeper: Keeper,
    /// The HBAs.
    pub(super) hbas: &'r [Arc<HbaServer>],
    /// Says when the user wants to stop.
    pub(super) cancel: Cancel,
    /// The maps as they were built.
    pub(super) maps: Maps,
}

impl<'r, 'a> Story<'r, 'a> {
    /// Begins the story: its time is zero from here.
    ///
    /// # Errors
    /// When the array refuses to begin.
    pub(super) fn begin(setting: Setting<'r, 'a>) -> Result<Self, RunError> {
        let Setting { scenario, seed, stage, recorder, wire, events, keeper, hbas, cancel, maps } =
            setting;
        let start = stage.clock.now();
        recorder.clockwork.begin(start);
        stage.array.apply(start, Action::BeginStory).map_err(|e| RunError::Story(e.to_string()))?;
        let workload = match &scenario.workload {
            None => Workload::None,
            Some(workload) => Workload::Waiting(start + workload.start),
        };
        let mut world = World::new(scenario, &stage.paths.nexus_by_dev());
        maps.statuses().for_each(|status| world.on_map(status));
        Ok(Story {
            scenario,
            seed,
            recorder,
            wire,
            events,
            keeper,
            hbas,
            cancel,
            start,
            world,
            maps,
            script: Script::new(&scenario.steps, start),
            trial: Trial::new(&scenario.expectations, start),
            tasks: FuturesUnordered::new(),
            alarm: Arc::new(Notify::new()),
            armed_for: None,
            workload,
            complaint: None,
            first_io: None,
            settled: None,
            ended: false,
            stage,
        })
    }

    /// Goes on until the story is over, then stops the workload and closes the trial.
    ///
    /// # Errors
    /// When the guest is gone, the agent fails, or the user interrupts.
    pub(super) async fn tell(
        mut self,
        machine: &Machine,
        versions: &Versions,
        began: Instant,
    ) -> Result<Told, RunError> {
        let limit = self.start + self.scenario.limit;
        let mut open = None;
        loop {
            let now = self.stage.clock.now();
            self.act(now).await?;
            self.decide(now);
            if self.is_over(now) {
                break;
            }
            if now >= limit {
                open = Some(self.open());
                break;
            }
            self.hold_if_it_is_there(machine, now).await?;
            self.arm(now, limit);
            match self.next(machine).await {
                Incoming::GuestGone => return Err(self.guest_gone(machine).await),
                Incoming::Cancelled => return Err(RunError::Interrupted),
                Incoming::Agent(None) => return Err(self.guest_gone(machine).await),
                Incoming::Lost(error) => return Err(error.into()),
                incoming => self.take(incoming),
            }
        }
        self.recorder.lookout.over();
        self.close(machine, versions, open, began).await
    }

    /// Does what is due: steps, and the start of the workload.
    async fn act(&mut self, now: Time) -> Result<(), RunError> {
        if let (Workload::Waiting(at), Some(workload)) = (&self.workload, &self.scenario.workload)
            && *at <= now
        {
            let started = self.stage.guest.start_workload(workload, self.seed);
            self.keeper.drive(started).await??;
            self.workload = Workload::Running;
        }
        while let Some(index) = self.script.next_due(now) {
            let step = &self.scenario.steps[index];
            match self.stage.apply(&step.action) {
                Some(applied) => self.finish_step(index, applied),
                None => {
                    let stage = self.stage.clone();
                    let action = step.action.clone();
                    self.tasks.push(Box::pin(async move { (index, stage.perform(action).await) }));
                }
            }
        }
        Ok(())
    }

    fn finish_step(&mut self, index: usize, outcome: Result<script::Outcome, String>) {
        let step = &self.scenario.steps[index];
        let now = self.stage.clock.now();
        let t = self.recorder.clockwork.seconds(now);
        let error = outcome.as_ref().err().cloned();
        if let Some(error) = &error {
            self.complaint.get_or_insert(format!("step `{}` failed: {error}", step.name));
        }
        let (name, action) = (step.name.clone(), step.action.to_string());
        self.recorder.emit_at(t, What::Step { name: name.clone(), action, error });
        match outcome {
            Ok(script::Outcome::Ran { code, stdout, stderr }) => {
                self.world.on_ran(&name, code, &format!("{stdout}{stderr}"));
                self.recorder.emit_at(t, What::Ran { name: name.clone(), code, stdout, stderr });
            }
            Ok(script::Outcome::Stopped(report)) => {
                self.world.on_workload(&report);
                self.workload = Workload::Stopped(*report);
            }
            Ok(script::Outcome::End) => self.ended = true,
            _ => {}
        }
        self.script.done(index);
        self.script.see(&Seen::Step(&name), now, &self.stage.array, &self.stage.paths);
    }

    /// Looks at the expectations.
    fn decide(&mut self, now: Time) {
        self.world.on_rule_matches(&self.stage.array.rule_matches());
        let t = self.recorder.clockwork.seconds(now);
        for result in self.trial.look(&self.world, now) {
            self.recorder.emit_at(t, expect(result));
        }
    }

    fn is_over(&mut self, now: Time) -> bool {
        if self.ended {
            return true;
        }
        match self.scenario.ending {
            Ending::After(duration) => now >= self.start + duration,
            Ending::Settled(settle) => {
                let quiet = self.trial.timed_are_decided()
                    && self.script.at_rest()
                    && !matches!(self.workload, Workload::Waiting(_));
                if !quiet {
                    self.settled = None;
                    return false;
                }
                now >= *self.settled.get_or_insert(now) + settle
            }
        }
    }

    /// The steps that the story still waits for, in words. Expectations tell for themselves when they
    /// were decided.
    fn open(&self) -> Vec<String> {
        let open = self.script.open();
        open.map(|step| format!("step `{}` ({}) has not been done", step.name, step.trigger))
            .collect()
    }

    /// Asks the clock for a call at the next point of time that matters.
    fn arm(&mut self, now: Time, limit: Time) {
        let ending = match self.scenario.ending {
            Ending::After(duration) => Some(self.start + duration),
            Ending::Settled(settle) => self.settled.map(|since| since + settle),
        };
        let workload = match self.workload {
            Workload::Waiting(at) => Some(at),
            _ => None,
        };
        let candidates =
            [Some(limit), ending, workload, self.script.next_time(), self.trial.next_time()];
        let next = candidates.into_iter().flatten().min().unwrap_or(limit);
        if self.armed_for != Some(next) || next <= now {
            let alarm = Arc::clone(&self.alarm);
            self.stage.clock.call_at(next, Box::new(move || alarm.notify_one()));
            self.armed_for = Some(next);
        }
    }

    /// Has the guest held, if the story has come to where that was wanted. Nothing that the story is made
    /// of is different with it: the question that is open is answered as it would be, when its time has
    /// come, and the guest stands still until it is let go on.
    ///
    /// # Errors
    /// `Left`, when somebody wanted a shell there instead, and what may come of that.
    async fn hold_if_it_is_there(&mut self, machine: &Machine, now: Time) -> Result<(), RunError> {
        if !self.recorder.lookout.is_there(now.since(self.start)) {
            return Ok(());
        }
        let standing = Standing {
            t: self.recorder.clockwork.seconds(now),
            events: self.recorder.lookout.events(),
            last: self.recorder.last_lines(Standing::LINES),
            maps: self.maps.statuses().cloned().collect(),
        };
        if let Some(terminal) = self.recorder.terminal(&standing) {
            return Err(self.leave_for(machine, terminal).await);
        }
        let hold = machine.hold().await;
        self.recorder.held(standing, hold);
        Ok(())
    }

    /// Waits for the next thing to arrive. What the array did comes before what the guest made of it;
    /// in skipped time the guest goes on when there is nothing else.
    async fn next(&mut self, machine: &Machine) -> Incoming {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Incoming::Cancelled,
            Some(change) = self.wire.changes.recv() => Incoming::Change(change),
            Some(record) = self.wire.commands.recv() => Incoming::Command(record),
            event = self.events.recv() => Incoming::Agent(event),
            Some((index, outcome)) = self.tasks.next() => Incoming::Step(index, outcome),
            () = self.alarm.notified() => Incoming::Alarm,
            _ = machine.exited() => Incoming::GuestGone,
            settled = self.keeper.settle() => match settled {
                Ok(_) => Incoming::Settled,
                Err(error) => Incoming::Lost(error),
            },
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Command(record) => {
                self.recorder.command(&record);
                self.world.on_command(&record);
                if record.op.is_some_and(|op| op.class == Class::Medium) {
                    self.first_io.get_or_insert_with(Instant::now);
                }
                self.see(&Seen::Command);
            }
            Incoming::Change(change) => {
                self.recorder.change(&change);
                self.world.on_state(&change);
                self.see(&Seen::Change(&change));
            }
            Incoming::Agent(Some(event)) => self.take_agent(&event),
            Incoming::Step(index, outcome) => {
                self.finish_step(index, outcome);
            }
            Incoming::Alarm => self.armed_for = None,
            Incoming::Settled
            | Incoming::Agent(None)
            | Incoming::Lost(_)
            | Incoming::GuestGone
            | Incoming::Cancelled => {}
        }
    }

    fn see(&mut self, seen: &Seen<'_>) {
        let now = self.stage.clock.now();
        self.script.see(seen, now, &self.stage.array, &self.stage.paths);
    }

    fn take_agent(&mut self, event: &AgentEvent) {
        self.recorder.agent(event);
        self.world.on_agent_event(event);
        let t = self.recorder.clockwork.guest_seconds(event.at_ns);
        if let Some(line) = event.what.log_line() {
            self.see(&Seen::Log(&line));
        }
        match &event.what {
            Happening::Map(status) => {
                for what in self.maps.update(status, &self.stage.paths) {
                    self.recorder.emit_at(t, what);
                }
                self.see(&Seen::Map(status));
            }
            Happening::Disks { disks } => {
                let paths = self.stage.paths.with(self.scenario, disks.clone());
                self.world.know(paths.nexus_by_dev());
                self.stage.paths = Arc::new(paths);
            }
            Happening::Log { text, .. } => {
                if let Some(kind) = complaint(text)
                    && !self.scenario.guest.allow.iter().any(|allowed| allowed.is_in(text))
                {
                    self.complaint.get_or_insert(format!("{kind} in the guest: {text}"));
                }
            }
            Happening::PathUevent { action, seqnum, path, valid_paths, .. } => {
                let what = What::Uevent {
                    action: action.clone(),
                    path: self.stage.paths.nexus(path).map_or(path.clone(), |n| n.to_string()),
                    seqnum: *seqnum,
                    valid_paths: *valid_paths,
                };
                self.recorder.emit_at(t, what);
            }
            _ => {}
        }
    }

    /// Takes everything that has arrived already, without waiting.
    fn drain(&mut self) {
        while let Ok(change) = self.wire.changes.try_recv() {
            self.take(Incoming::Change(change));
        }
        while let Ok(record) = self.wire.commands.try_recv() {
            self.take(Incoming::Command(record));
        }
        while let Ok(event) = self.events.try_recv() {
            self.take(Incoming::Agent(Some(event)));
        }
    }

    /// Stops the workload at the end of the story, while events go on arriving.
    async fn stop_workload(&mut self, machine: &Machine) -> Result<(), RunError> {
        let Workload::Running = self.workload else { return Ok(()) };
        let guest = self.stage.guest.clone();
        let answer = guest.stop_workload(self.scenario.main_lun());
        tokio::pin!(answer);
        let report = loop {
            let now = self.stage.clock.now();
            self.hold_if_it_is_there(machine, now).await?;
            let incoming = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(RunError::Interrupted),
                Some(change) = self.wire.changes.recv() => Incoming::Change(change),
                // Reading back is no longer part of the story: recorded, but not counted.
                Some(record) = self.wire.commands.recv() => {
                    self.recorder.command(&record);
                    continue;
                }
                Some(event) = self.events.recv() => Incoming::Agent(Some(event)),
                report = &mut answer => break report?,
                settled = self.keeper.settle() => {
                    settled?;
                    continue;
                }
            };
            self.take(incoming);
        };
        self.world.on_workload(&report);
        self.workload = Workload::Stopped(report);
        Ok(())
    }

    /// The end: the last reports, the last look.
    async fn close(
        mut self,
        machine: &Machine,
        versions: &Versions,
        open: Option<Vec<String>>,
        began: Instant,
    ) -> Result<Told, RunError> {
        let end = self.stage.clock.now();
        self.drain();
        self.hold_if_it_is_there(machine, end).await?;
        self.stop_workload(machine).await?;
        // A round trip: what the kernel had to say until now arrives before the answer.
        let hbas = self.hbas.iter().map(AsRef::as_ref);
        let witness = Witness::call(&self.stage.guest, hbas, &mut self.keeper).await?;
        self.view_multipathd(end).await?;
        self.drain();
        self.world.on_rule_matches(&self.stage.array.rule_matches());
        let t = self.recorder.clockwork.seconds(self.stage.clock.now());
        for result in self.trial.close(&self.world, end) {
            self.recorder.emit_at(t, expect(result));
        }
        // Somebody may want to look at the guest still.
        self.keeper.drive(machine.let_go()).await?;
        Ok(Told {
            expectations: self.trial.into_results(versions),
            workload: match self.workload {
                Workload::Stopped(report) => report,
                _ => WorkloadReport::default(),
            },
            complaint: self.complaint,
            over_limit: open.is_some(),
            open: open.unwrap_or_default(),
            simulated: end.since(self.start),
            rounds: self.maps.most_rounds(),
            witness,
            faults: self
                .stage
                .array
                .rule_matches()
                .into_iter()
                .map(|(rule, fired)| (rule.to_string(), fired))
                .collect(),
            first_io: self.first_io.map(|at| at.duration_since(began)),
        })
    }

    /// Takes multipathd's last view, where there is one.
    async fn view_multipathd(&mut self, end: Time) -> Result<(), RunError> {
        if let Manager::Multipathd(_) = self.scenario.guest.manager {
            let guest = self.stage.guest.clone();
            let view = self.keeper.drive(guest.multipathd_view()).await??;
            self.recorder.emit_at(self.recorder.clockwork.seconds(end), What::Multipathd { view });
        }
        Ok(())
    }

    /// The guest died: takes its last words, then explains.
    async fn guest_gone(&mut self, machine: &Machine) -> RunError {
        let error = machine.failed().await;
        self.drain();
        RunError::Lab(error)
    }
}
