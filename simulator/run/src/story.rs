//! Plays a scenario on a stage: records every event, triggers steps and checks expectations.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use sansim_array::Class;
use sansim_language::{Ending, Scenario, Step, StepAction, Versions};
use sansim_protocol::{Ended, ProgramEnd, WorkloadReport};
use sansim_stage::{
    Act, Answer, Before, Brought, ExpectationResult, Idle, Incoming, Incomplete, Seen, Stage,
    StageError, Terminal, Trial, Witness, event::What,
};
use sansim_time::Time;

use crate::{
    Cancel, Left, Records, RunError, Standing, Successor, idle, idle::Watch, record,
    recorder::Recorder, script::Script,
};

/// A story in progress.
pub(super) struct Story<'r, 'a, 'm> {
    scenario: &'r Scenario,
    stage: Stage<'m>,
    recorder: &'r mut Recorder<'a>,
    cancel: Cancel,
    script: Script,
    trial: Trial,
    /// What the story uses of what its scenario has.
    watch: Watch,
    /// When the steps began that have not ended in the guest, by their index.
    begun: BTreeMap<usize, Time>,
    /// The number of expectations that are for other versions.
    elsewhere: usize,
    complaint: Option<String>,
    /// The first program that the userland turned out to lack.
    lacks: Option<String>,
    /// Completion of the story's first I/O, by the host's clock.
    first_io: Option<Instant>,
    /// Since when only the settling time is left.
    settled: Option<Time>,
    /// What was not complete when the story began.
    pub(super) incomplete: Vec<Incomplete>,
    ended: bool,
    handler: String,
    /// The steps that were done, with their times; only if the story may be left to somebody.
    done: Vec<(Duration, Step)>,
}

/// The event for a decided expectation; for an unmet one, it contains only what is wrong.
fn expect(result: ExpectationResult) -> What {
    let seen = if result.ok { result.seen } else { result.complaint() };
    What::Expect { text: result.text, ok: result.ok, seen }
}

/// The results of a story.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Every expectation with its result.
    pub(super) expectations: Vec<ExpectationResult>,
    /// The workload's report; all zero without a workload.
    pub(super) workload: WorkloadReport,
    /// The first kernel warning that the scenario does not allow, or failed step.
    pub(super) complaint: Option<String>,
    /// Whether the story reached its limit.
    pub(super) over_limit: bool,
    /// The steps not finished at the limit, in words.
    pub(super) open: Vec<String>,
    /// Scenario time that the story took.
    pub(super) simulated: Duration,
    /// The most pg_init rounds of any map.
    pub(super) rounds: u32,
    /// The number of commands, as counted by the guest and by the array.
    pub(super) witness: Witness,
    /// How often each fault rule fired.
    pub(super) faults: BTreeMap<String, u64>,
    /// Time from the start of the run to the first I/O on a map, by the host's clock.
    pub(super) first_io: Option<Duration>,
    /// What came to nothing, so that it tested nothing.
    pub(super) idle: Vec<Idle>,
    /// What was not complete when the story began.
    pub(super) incomplete: Vec<Incomplete>,
    /// A program that a step was to run and that the userland lacks.
    pub(super) lacks: Option<String>,
}

impl<'r, 'a, 'm> Story<'r, 'a, 'm> {
    /// Begins the story on a stage that has just started.
    pub(super) fn begin(
        scenario: &'r Scenario,
        elsewhere: usize,
        versions: &Versions,
        handler: String,
        stage: Stage<'m>,
        recorder: &'r mut Recorder<'a>,
        cancel: Cancel,
    ) -> Self {
        let start = stage.start();
        recorder.clockwork.begin(start);
        let expectations = scenario.expectations.iter().map(|it| it.judged(versions)).collect();
        Story {
            scenario,
            stage,
            recorder,
            cancel,
            script: Script::new(scenario.steps.clone(), start),
            trial: Trial::new(expectations, start),
            watch: Watch::new(scenario),
            begun: BTreeMap::new(),
            elsewhere,
            complaint: None,
            lacks: None,
            first_io: None,
            settled: None,
            incomplete: Vec::new(),
            ended: false,
            handler,
            done: Vec::new(),
        }
    }

    /// Plays the story to its end, then stops the workload and decides the remaining expectations.
    ///
    /// # Errors
    /// When the guest is gone, the agent fails, or the user interrupts.
    pub(super) async fn tell(mut self, began: Instant) -> Result<Told, RunError> {
        let limit = self.stage.start() + self.scenario.limit;
        let mut open = None;
        loop {
            let now = self.stage.now();
            self.act(now).await?;
            self.decide(now);
            if self.is_over(now) {
                break;
            }
            if now >= limit {
                open = Some(self.open());
                break;
            }
            self.look_for_room()?;
            if let Some(successor) = self.successor(now) {
                return Err(self.leave_to(successor).await);
            }
            self.hold_if_it_is_there(now).await?;
            self.arm(limit);
            let incoming = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(RunError::Interrupted),
                incoming = self.stage.next() => incoming,
            };
            match incoming {
                Ok(incoming) => self.take(incoming),
                Err(error) => {
                    // Events that arrived before the failure.
                    self.drain();
                    return Err(error.into());
                }
            }
        }
        self.recorder.lookout.over();
        self.close(open, began).await
    }

    /// Ends the run if the contents of the LUNs have no memory left.
    fn look_for_room(&self) -> Result<(), RunError> {
        match self.stage.array().out_of_memory() {
            Some(bytes) => Err(RunError::LunsFull { bytes }),
            None => Ok(()),
        }
    }

    /// Starts the steps that are due, and the workload.
    async fn act(&mut self, now: Time) -> Result<(), RunError> {
        if let Some(refused) = self.stage.start_workload_if_due(now).await? {
            self.recorder.emit_at(self.recorder.clockwork.seconds(now), refused);
        }
        while let Some(index) = self.script.next_due(now) {
            let step = &self.scenario.steps[index];
            match &step.action {
                StepAction::End => {
                    self.ended = true;
                    self.finish_step(index, Ok(Brought::Nothing));
                }
                StepAction::Act(act) => {
                    let name = Arc::from(step.name.as_str());
                    self.watch.act(step, act, &self.stage.array().view());
                    match self.stage.act(&name, act) {
                        Some(brought) => self.finish_step(index, brought),
                        None => self.begin_step(index, now),
                    }
                }
            }
        }
        Ok(())
    }

    /// A step has begun that takes time in the guest.
    fn begin_step(&mut self, index: usize, now: Time) {
        let step = &self.scenario.steps[index];
        let (name, action) = (step.name.clone(), step.words.clone());
        self.recorder.emit_at(self.recorder.clockwork.seconds(now), What::Begun { name, action });
        self.begun.insert(index, now);
    }

    fn finish_step(&mut self, index: usize, brought: Result<Brought, String>) {
        let step = &self.scenario.steps[index];
        let now = self.stage.now();
        let (t, took_s) = match &brought {
            Ok(Brought::Ran(end)) => {
                let (t, took) = self.recorder.clockwork.of_program(end);
                (t, Some(took))
            }
            _ => (self.recorder.clockwork.seconds(now), None),
        };
        let error = brought.as_ref().err().cloned();
        if let Some(error) = error.as_ref().filter(|_| self.stage.complaint().is_none()) {
            self.complaint.get_or_insert(format!("step `{}` failed: {error}", step.name));
        }
        let (name, action) = (step.name.clone(), step.words.clone());
        self.begun.remove(&index);
        self.recorder.emit_at(t, What::Step { name: name.clone(), action, took_s, error });
        if let Ok(Brought::Ran(end)) = brought {
            if let Some(program) = not_there(step, &end) {
                self.lacks.get_or_insert(program.to_owned());
                self.ended = true;
            }
            self.recorder.emit_at(t, What::ran(name.clone(), end));
        }
        self.script.done(index);
        if self.recorder.successor().is_some() {
            self.done.push((now.since(self.stage.start()), step.clone()));
        }
        self.script.see(&Seen::Step(&name), now, self.stage.world());
    }

    /// Checks the expectations.
    fn decide(&mut self, now: Time) {
        let t = self.recorder.clockwork.seconds(now);
        self.stage.count_rules();
        for result in self.trial.look(self.stage.world(), now) {
            self.recorder.emit_at(t, expect(result));
        }
    }

    fn is_over(&mut self, now: Time) -> bool {
        if self.ended {
            return true;
        }
        match self.scenario.ending {
            Ending::After(duration) => now >= self.stage.start() + duration,
            Ending::Settled(settle) => {
                let quiet = self.trial.timed_are_decided()
                    && self.script.at_rest()
                    && self.stage.workload_starts().is_none();
                if !quiet {
                    self.settled = None;
                    return false;
                }
                now >= *self.settled.get_or_insert(now) + settle
            }
        }
    }

    /// The steps that are not finished, in words. Expectations record their own time of decision.
    fn open(&self) -> Vec<String> {
        let since = |step: &Step| {
            let begun = self.begun.get(&self.script.named(&step.name)?)?;
            Some(self.recorder.clockwork.seconds(*begun))
        };
        let open = self.script.unfinished().map(|(step, _)| match since(step) {
            Some(t) => format!("step `{}` has begun at {t:.3} s and not ended", step.name),
            None => format!("step `{}` ({}) has not been done", step.name, step.trigger),
        });
        open.collect()
    }

    /// Sets the alarm for the next step, expectation, or end of the story.
    fn arm(&mut self, limit: Time) {
        let ending = match self.scenario.ending {
            Ending::After(duration) => Some(self.stage.start() + duration),
            Ending::Settled(settle) => self.settled.map(|since| since + settle),
        };
        let workload = self.stage.workload_starts();
        let candidates =
            [Some(limit), ending, workload, self.script.next_time(), self.trial.next_time()];
        let next = candidates.into_iter().flatten().min().unwrap_or(limit);
        self.stage.wake_at(next);
    }

    /// Pauses the guest if the story has reached the moment of `--until`. This does not change the story: the
    /// guest's open question is answered as usual, at its time, and the guest is paused until the hold is
    /// dropped.
    ///
    /// # Errors
    /// `Left` when a shell replaced the rest of the story, or an error of that shell.
    async fn hold_if_it_is_there(&mut self, now: Time) -> Result<(), RunError> {
        if !self.recorder.lookout.is_there(now.since(self.stage.start())) {
            return Ok(());
        }
        let standing = self.standing(now);
        if let Some(terminal) = self.recorder.terminal(&standing) {
            return Err(self.leave_for(terminal).await);
        }
        let hold = self.stage.machine().hold().await;
        self.recorder.held(standing, hold);
        Ok(())
    }

    fn standing(&self, now: Time) -> Standing {
        Standing {
            t: self.recorder.clockwork.seconds(now),
            events: self.recorder.lookout.events(),
            last: self.recorder.last_lines(Standing::LINES),
            maps: self.stage.maps().statuses().cloned().collect(),
        }
    }

    /// Who takes the stage over now: only at the moment of `--until`.
    fn successor(&mut self, now: Time) -> Option<&'a dyn Successor> {
        let successor = self.recorder.successor()?;
        let elapsed = now.since(self.stage.start());
        self.recorder.lookout.is_there(elapsed).then_some(successor)
    }

    /// Leaves the stage to a successor, until it has had enough.
    async fn leave_to(self, successor: &dyn Successor) -> RunError {
        let now = self.stage.now();
        let left = Left {
            standing: self.standing(now),
            scenario: self.scenario.clone(),
            done: self.done,
            clockwork: self.recorder.clockwork,
            handler: self.handler,
            stage: self.stage,
        };
        successor.take(left).await.err().unwrap_or(RunError::TakenOver)
    }

    /// Connects a terminal to the guest until the shell ends. The story is over: no more steps or
    /// expectations.
    async fn leave_for(&mut self, terminal: Terminal) -> RunError {
        let cancel = self.cancel.clone();
        let left = tokio::select! {
            biased;
            () = cancel.cancelled() => return RunError::Interrupted,
            left = self.sit_at(terminal) => left,
        };
        match left {
            Ok(code) => RunError::Left { code },
            Err(error) => {
                self.drain();
                error.into()
            }
        }
    }

    /// Records what happens until the program in the terminal has ended. Returns its exit code.
    async fn sit_at(&mut self, terminal: Terminal) -> Result<Option<i32>, StageError> {
        let number = self.stage.connect(terminal).await?;
        self.stage.keep_pace(true);
        loop {
            match self.stage.next().await? {
                Incoming::TerminalEnded { terminal, code } if terminal == number => {
                    return Ok(code);
                }
                incoming => record(&mut *self.recorder, &mut self.stage, &incoming),
            }
        }
    }

    fn take(&mut self, incoming: Incoming) {
        record(&mut *self.recorder, &mut self.stage, &incoming);
        match incoming {
            Incoming::Done { name, brought } => {
                if let Some(index) = self.script.named(&name) {
                    self.finish_step(index, brought);
                }
            }
            Incoming::Command(ref command) => {
                self.watch.command(command);
                if command.op.is_some_and(|op| op.class == Class::Medium) {
                    self.first_io.get_or_insert_with(Instant::now);
                }
                self.see(&incoming);
            }
            Incoming::Change(ref change) => {
                self.watch.change(change);
                self.see(&incoming);
            }
            incoming => self.see(&incoming),
        }
    }

    fn see(&mut self, incoming: &Incoming) {
        let now = self.stage.now();
        incoming.each_seen(|seen| self.script.see(seen, now, self.stage.world()));
    }

    /// Processes everything that has arrived already, without waiting.
    fn drain(&mut self) {
        while let Some(incoming) = self.stage.arrived() {
            self.take(incoming);
        }
    }

    /// Stops the workloads at the end of the story, one after the other.
    async fn stop_workloads(&mut self) -> Result<(), RunError> {
        while let Some((lun, answer)) = self.stage.stop_workload() {
            let report = self.last_report(answer).await?;
            self.stage.workload_stopped(lun, report);
        }
        Ok(())
    }

    /// Processes events until a workload that is being stopped has reported.
    async fn last_report(&mut self, mut answer: Answer) -> Result<WorkloadReport, RunError> {
        loop {
            self.hold_if_it_is_there(self.stage.now()).await?;
            let next = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(RunError::Interrupted),
                next = self.stage.next_before(&mut answer) => next?,
            };
            match next {
                // The final read-back is not part of the story: its commands are recorded, but not counted.
                Before::Incoming(Incoming::Command(record)) => self.recorder.command(&record),
                Before::Incoming(incoming) => self.take(incoming),
                Before::Answer(report) => return Ok(report?),
            }
        }
    }

    /// Ends the story: collects the last reports and decides the remaining expectations.
    async fn close(mut self, open: Option<Vec<String>>, began: Instant) -> Result<Told, RunError> {
        let end = self.stage.now();
        self.drain();
        if let Some(successor) = self.successor(end) {
            return Err(self.leave_to(successor).await);
        }
        self.hold_if_it_is_there(end).await?;
        self.stop_workloads().await?;
        self.look_for_room()?;
        // A round trip: all earlier kernel messages arrive before the answer.
        let witness = self.stage.witness().await?;
        self.view_multipathd(end).await?;
        self.drain();
        let t = self.recorder.clockwork.seconds(self.stage.now());
        self.stage.count_rules();
        for result in self.trial.close(self.stage.world(), end) {
            self.recorder.emit_at(t, expect(result));
        }
        let idle = self.idle();
        idle.iter().for_each(|it| self.recorder.emit_at(t, What::Idle(it.clone())));
        if let Some(successor) = self.successor(end) {
            return Err(self.leave_to(successor).await);
        }
        // With `--until verdict` the user may still inspect the guest.
        self.stage.let_go().await?;
        let complaint = self.complaint.or_else(|| self.stage.complaint().map(str::to_owned));
        let fired = self.stage.array().rule_matches();
        Ok(Told {
            expectations: self.trial.into_results().into_iter().flatten().collect(),
            workload: self.stage.report().cloned().unwrap_or_default(),
            complaint,
            over_limit: open.is_some(),
            open: open.unwrap_or_default(),
            simulated: end.since(self.stage.start()),
            rounds: self.stage.maps().most_rounds(),
            witness,
            faults: fired.into_iter().map(|(rule, fired)| (rule.to_string(), fired)).collect(),
            first_io: self.first_io.map(|at| at.duration_since(began)),
            idle,
            incomplete: self.incomplete,
            lacks: self.lacks,
        })
    }

    /// What came to nothing. Nothing did if the story could not be told, since a program is not there.
    fn idle(&mut self) -> Vec<Idle> {
        if self.lacks.is_some() {
            return Vec::new();
        }
        std::mem::take(&mut self.watch).judge(&idle::Ending {
            scenario: self.scenario,
            elsewhere: self.elsewhere,
            script: &self.script,
            ended: self.ended,
            world: self.stage.world(),
            view: &self.stage.array().view(),
            workload_waits: self.stage.workload_starts().is_some(),
            workload_refused: self.stage.workload_refused(),
            incomplete: &self.incomplete,
        })
    }

    /// Records multipathd's final view of its maps, if it runs.
    async fn view_multipathd(&mut self, end: Time) -> Result<(), RunError> {
        if self.scenario.has_multipathd() {
            let view = self.stage.multipathd_view().await?;
            self.recorder.emit_at(self.recorder.clockwork.seconds(end), view);
        }
        Ok(())
    }
}

/// The program of a step, if the agent found that it is not there.
fn not_there<'s>(step: &'s Step, end: &ProgramEnd) -> Option<&'s str> {
    let StepAction::Act(Act::Run { argv, .. }) = &step.action else { return None };
    let program =
        argv.first().filter(|_| !step.optional && end.ended == Ended::Code(idle::NOT_FOUND))?;
    // The agent's own words (guest-kernel/agent/src/userland.rs) and the kernel's ENOENT.
    let said = format!("cannot run {program}: No such file");
    end.stderr.starts_with(&said).then_some(program)
}
