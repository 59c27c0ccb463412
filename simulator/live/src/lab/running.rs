//! The person as the driver of a stage: answers what is asked, and tells what happens.

use std::sync::Arc;

use sansim_array::ArrayView;
use sansim_language::Scenario;
use sansim_protocol::Happening;
use sansim_run::{Left, Opened, Records, RunError, directory::RunDirectory, record};
use sansim_stage::{Brought, Incoming, Stage, event::StoryTime};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken as Cancel;

use super::{
    TICK,
    acts::{Acts, Kept},
    capturing::Capturing,
    chores::Chores,
    io::Io,
    picture,
    play::{Play, Playing},
    pump::Pumps,
    since::Since,
    teller::Teller,
    time::Skip,
    waits::Waits,
    words::Words,
};
use crate::{
    api::{LabStatus, Refused, Why},
    handle::{Ask, Desk},
};

/// Where a lab writes, and where it is asked.
pub(super) struct Papers {
    pub(super) directory: RunDirectory,
    pub(super) desk: Desk,
}

/// A lab that runs.
pub(super) struct Running<'m> {
    pub(super) stage: Stage<'m>,
    pub(super) teller: Teller,
    pub(super) lab: LabStatus,
    pub(super) words: Words,
    pub(super) acts: Acts,
    pub(super) waits: Waits,
    pub(super) chores: Chores,
    pub(super) skip: Skip,
    pub(super) playing: Playing,
    pub(super) io: Io,
    pub(super) pumps: Pumps,
    pub(super) since: Since,
    /// The state of the array at the start.
    pub(super) first: ArrayView,
    desk: Desk,
    /// Whether the state has changed since it was last told.
    pub(super) changed: bool,
    /// When the state may be told again.
    told: tokio::time::Instant,
    over: bool,
}

impl<'m> Running<'m> {
    /// Begins the story: story time is zero now.
    ///
    /// # Errors
    /// As [`Stage::begin`].
    pub(super) fn begin(
        opened: Opened<'m>,
        lab: LabStatus,
        papers: Papers,
        play: Play,
    ) -> Result<Self, RunError> {
        let Opened { parts, scenario, mut clockwork, first: told, .. } = opened;
        let stage = Stage::begin(parts, [])?;
        clockwork.begin(stage.start());
        let playing = Playing::new(play, &scenario, stage.start());
        let first = stage.array().view();
        let mut running = Running::new(stage, scenario, clockwork, lab, papers, playing, first);
        told.into_iter().for_each(|what| running.teller.emit_at(0.0, what));
        Ok(running)
    }

    /// Takes a stage over from a script. Time stands still until somebody lets it go on.
    pub(super) async fn take_over(left: Left<'m>, lab: LabStatus, papers: Papers) -> Self {
        let Left { stage, scenario, done, clockwork, .. } = left;
        let first = picture::first_view(stage.setup());
        let playing = Playing::new(Play::Nothing, &scenario, stage.start());
        let mut running = Running::new(stage, scenario, clockwork, lab, papers, playing, first);
        running.acts.kept = done.into_iter().map(|(at, step)| Kept { at, step }).collect();
        running.stage.pause().await;
        running
    }

    fn new(
        stage: Stage<'m>,
        scenario: Scenario,
        clockwork: StoryTime,
        lab: LabStatus,
        papers: Papers,
        playing: Playing,
        first: ArrayView,
    ) -> Self {
        let Papers { directory, desk } = papers;
        let nexuses = stage.setup().nexuses().collect();
        let capturing = Capturing::new(nexuses, stage.start(), directory.path());
        Running {
            acts: Acts::default(),
            waits: Waits::default(),
            chores: Chores::default(),
            skip: Skip::default(),
            playing,
            io: Io::new(stage.setup()),
            pumps: Pumps::default(),
            since: Since::default(),
            words: Words::new(scenario, lab.seed),
            teller: Teller::new(directory, desk.news.clone(), clockwork, capturing),
            stage,
            lab,
            first,
            desk,
            changed: true,
            told: tokio::time::Instant::now(),
            over: false,
        }
    }

    /// Answers and tells until somebody ends the lab.
    ///
    /// # Errors
    /// If the guest is gone.
    pub(super) async fn drive(mut self, cancel: &Cancel) -> Result<(), RunError> {
        self.stage.keep_pace(true);
        let mut ticks = interval(TICK);
        // A tick that comes soon after a late one would show a rate that never was.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.over {
            self.catch_up().await?;
            self.tell_status();
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                ask = self.desk.asks.recv() => match ask {
                    Some(ask) => self.answer(ask).await?,
                    None => break,
                },
                done = self.chores.next() => self.chores.finish(done),
                _ = ticks.tick() => self.tick(),
                incoming = self.stage.next() => match incoming {
                    Ok(incoming) => self.take(&incoming),
                    Err(error) => {
                        self.drain();
                        self.keep_story();
                        return Err(error.into());
                    }
                },
            }
        }
        self.keep_story();
        Ok(())
    }

    /// The story time now, in seconds.
    pub(super) fn t(&self) -> f64 {
        self.teller.clockwork.seconds(self.stage.now())
    }

    /// Does what is due now, and sets the alarm for what is due next.
    async fn catch_up(&mut self) -> Result<(), RunError> {
        let now = self.stage.now();
        if self.stage.workload_starts().is_some_and(|at| at <= now) && self.has_main_map() {
            if let Some(refused) = self.stage.start_workload_if_due(now).await? {
                self.teller.emit_at(self.t(), refused);
            }
            self.changed = true;
        }
        self.play(now);
        self.decide(now);
        self.end_skip(now);
        let next = [
            self.stage.workload_starts().filter(|_| self.has_main_map()),
            self.playing.next_time(),
            self.waits.next_time(),
            self.skip.until(),
        ];
        if let Some(next) = next.into_iter().flatten().min() {
            self.stage.wake_at(next);
        }
        Ok(())
    }

    /// Whether the map of the scenario's workload is there, with all its paths.
    fn has_main_map(&self) -> bool {
        let lun = self.stage.setup().main_lun();
        let paths = self.stage.world().map_of(lun).map_or(0, |map| map.paths().count());
        paths > 0 && paths == self.stage.paths().of(lun).len()
    }

    /// Tells what has happened, and takes note of it.
    fn take(&mut self, incoming: &Incoming) {
        record(&mut self.teller, &mut self.stage, incoming);
        match incoming {
            Incoming::Agent(event) => {
                self.io.happening(&event.what, self.teller.clockwork.guest_seconds(event.at_ns));
            }
            Incoming::TerminalEnded { terminal, code } => self.pumps.ended(*terminal, *code),
            _ => {}
        }
        self.changed |= changes_the_state(incoming);
        self.skip.see(incoming);
        if let Incoming::Done { name, brought } = incoming {
            self.done(name, brought);
        }
        let now = self.stage.now();
        incoming.each_seen(|seen| self.playing.see(seen, now, self.stage.world()));
    }

    /// An act in the guest has ended.
    fn done(&mut self, name: &Arc<str>, brought: &Result<Brought, String>) {
        if let Ok(Brought::Stopped { lun, report }) = brought {
            self.io.stopped(report, *lun);
        }
        self.finish(name, brought);
        self.start_next(name, brought);
    }

    fn tick(&mut self) {
        let t = self.t();
        self.teller.tick(t);
        self.changed |= self.since.rules_changed(&self.stage.array().view());
    }

    /// Tells the state if it has changed: at once, but not more often than every [`TICK`].
    fn tell_status(&mut self) {
        let now = tokio::time::Instant::now();
        if self.changed && now >= self.told {
            self.changed = false;
            self.told = now + TICK;
            let status = self.status();
            self.teller.status(status);
        }
    }

    /// Takes everything that has already arrived.
    fn drain(&mut self) {
        while let Some(incoming) = self.stage.arrived() {
            self.take(&incoming);
        }
    }

    async fn answer(&mut self, ask: Ask) -> Result<(), RunError> {
        match ask {
            Ask::Status(answer) => drop(answer.send(Ok(self.status()))),
            Ask::Act(given, answer) => self.act(&given, answer),
            Ask::AddFault(given, answer) => drop(answer.send(self.add_fault(&given))),
            Ask::RemoveFault(name, answer) => drop(answer.send(self.remove_fault(&name))),
            Ask::Reset(answer) => self.reset(answer),
            Ask::Hold(answer) => drop(answer.send(self.hold())),
            Ask::Go(answer) => self.go(answer),
            Ask::Wait(given, at_most, answer) => self.wait(&given, at_most, answer),
            Ask::Exec(argv, at_most, answer) => self.exec(&argv, at_most, answer),
            Ask::Multipath(answer) => self.multipath(answer),
            Ask::Pull(path, answer) => self.pull(path, answer),
            Ask::Push(path, contents, answer) => self.push(path, contents, answer),
            Ask::Io(change, answer) => self.change_io(&change, answer),
            Ask::Time(change, answer) => self.change_time(change, answer).await?,
            Ask::Capture(on, answer) => {
                self.changed = true;
                let _ = answer.send(self.teller.capturing.switch(on));
            }
            Ask::Console(answer) => drop(answer.send(self.console())),
            Ask::Save(answer) => drop(answer.send(self.save())),
            Ask::Tour(change, answer) => drop(answer.send(self.change_tour(change))),
            Ask::Open(argv, term, size, answer) => self.open(argv, term, size, answer).await?,
            Ask::Complete(words, answer) => drop(answer.send(Ok(self.complete(&words)))),
            Ask::Down(answer) => {
                self.over = true;
                let _ = answer.send(Ok(()));
            }
        }
        Ok(())
    }

    /// Refuses what needs a guest that runs.
    pub(super) fn must_run(&self) -> Result<(), Refused> {
        match self.stage.is_paused() {
            true => Err(Refused::new(
                Why::Conflict,
                "the guest is paused; let it go on first: sansim ctl time resume",
            )),
            false => Ok(()),
        }
    }
}

/// Whether what has happened may show in the state.
fn changes_the_state(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Change(_) | Incoming::Done { .. } => true,
        Incoming::Agent(event) => !matches!(
            event.what,
            Happening::Log { .. } | Happening::Said { .. } | Happening::Shown { .. }
        ),
        _ => false,
    }
}
