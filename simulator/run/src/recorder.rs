//! Where the events of a run go: its directory, the timeline, the summary's counters, the reader.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use sansim_array::{CommandRecord, Stage, StateChange};
use sansim_lab::Hold;
use sansim_protocol::Event as AgentEvent;

use sansim_report::{
    html,
    lanes::Lanes,
    outcome::{OutcomeTracker, Outcomes},
    repeat::{Trace, Tracer},
    timeline::Timeline,
    timings::Timings,
    verdict::Summary,
};
use sansim_stage::{
    Terminal,
    event::{Event, StoryTime, What, operation_name},
};

use crate::{
    RunId,
    directory::{DirectoryError, RunDirectory},
    hold::{Lookout, Standing},
    sink::Sink,
    stopwatch::{Part, Stopwatch},
};

/// Commands kept for the explanation of a failure.
const TAIL: usize = 12;

/// Takes everything that happens in a run.
pub(super) struct Recorder<'a> {
    id: RunId,
    directory: RunDirectory,
    sink: &'a dyn Sink,
    watch: Stopwatch,
    /// Scenario time.
    pub(super) clockwork: StoryTime,
    timeline: Timeline,
    lanes: Lanes,
    outcomes: OutcomeTracker,
    commands: BTreeMap<String, BTreeMap<String, u64>>,
    tail: VecDeque<Event>,
    /// For runs that are to be compared.
    tracer: Option<Tracer>,
    /// Where the story is to be held.
    pub(super) lookout: Lookout,
    /// Scenario seconds of the latest event.
    latest: f64,
}

impl<'a> Recorder<'a> {
    /// A recorder that writes into `directory` and tells `sink`.
    pub(super) fn new(id: RunId, directory: RunDirectory, sink: &'a dyn Sink) -> Self {
        Recorder {
            id,
            directory,
            sink,
            watch: Stopwatch::start(Instant::now()),
            clockwork: StoryTime::default(),
            timeline: Timeline::default(),
            lanes: Lanes::default(),
            outcomes: OutcomeTracker::default(),
            commands: BTreeMap::new(),
            tail: VecDeque::with_capacity(TAIL),
            tracer: None,
            lookout: Lookout::default(),
            latest: 0.0,
        }
    }

    /// Takes down what is told, for a comparison with other runs.
    pub(super) fn trace(&mut self) {
        self.tracer = Some(Tracer::default());
    }

    /// Tells the reader what is being done.
    pub(super) fn stage(&self, text: &str) {
        self.sink.stage(&self.id, text);
    }

    /// Begins another part of the run.
    pub(super) fn enter(&mut self, part: Part) {
        self.watch.enter(part, Instant::now());
        match part {
            Part::Modules => self.stage("loading modules"),
            Part::Discovery => self.stage("discovery"),
            Part::Maps => self.stage("building maps"),
            Part::Story => self.stage("the story"),
            // The first is told with how it is done, the last is over at once.
            Part::Restore | Part::Teardown => {}
        }
    }

    /// Where the time went until now.
    pub(super) fn timings(&mut self) -> Timings {
        self.watch.read(Instant::now())
    }

    /// Records an event.
    pub(super) fn emit(&mut self, event: Event) {
        self.latest = self.latest.max(event.t);
        self.lookout.see(&event);
        self.directory.event(&event);
        self.sink.event(&self.id, &event);
        if let Some(tracer) = &mut self.tracer {
            tracer.event(&event);
        }
        self.timeline.push(&event);
        self.lanes.push(&event);
        self.outcomes.event(&event);
        if matches!(&event.what, What::Command(_)) {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(event);
        }
    }

    /// Tells the reader where the story is held.
    pub(super) fn held(&self, standing: Standing, hold: Hold) {
        self.sink.held(&self.id, standing, hold);
    }

    /// The terminal of somebody who wants a shell where the story is held.
    pub(super) fn terminal(&self, standing: &Standing) -> Option<Terminal> {
        self.sink.terminal(&self.id, standing)
    }

    /// The last lines of what is worth telling so far.
    pub(super) fn last_lines(&self, most: usize) -> Vec<String> {
        let lines = self.timeline.lines();
        lines[lines.len().saturating_sub(most)..].iter().map(ToString::to_string).collect()
    }

    /// Records an event that happens after all others.
    pub(super) fn emit_last(&mut self, what: What) {
        self.emit(Event { t: self.latest, what });
    }

    /// Records an event that happens at `t` seconds of scenario time.
    pub(super) fn emit_at(&mut self, t: f64, what: What) {
        self.emit(Event { t, what });
    }

    /// Records a completed command.
    pub(super) fn command(&mut self, record: &CommandRecord) {
        if record.stage == Stage::Story {
            let controllers = self.commands.entry(operation_name(record)).or_default();
            *controllers.entry(record.nexus.port.controller.to_string()).or_default() += 1;
        }
        let event = Event::command(record, &self.clockwork);
        if let Some(tracer) = &mut self.tracer {
            tracer.command(record, &event);
        }
        self.emit(event);
    }

    /// Records a change of the array's state.
    pub(super) fn change(&mut self, change: &StateChange) {
        self.emit(Event::state(change, &self.clockwork));
    }

    /// Records what the agent reports, if it makes an event by itself.
    pub(super) fn agent(&mut self, event: &AgentEvent) {
        if let Some(event) = Event::agent(event, &self.clockwork) {
            self.emit(event);
        }
    }

    /// Commands of the story so far, by operation and controller.
    pub(super) fn commands(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.commands
    }

    /// What the story came to so far.
    pub(super) fn outcomes(&self) -> &Outcomes {
        self.outcomes.outcomes()
    }

    /// The run's directory.
    pub(super) fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// Closes the directory and gives out what a report needs.
    ///
    /// # Errors
    /// When something of the run could not be written.
    pub(super) fn finish(self, summary: &Summary) -> Result<Recorded, DirectoryError> {
        let Recorder { directory, timeline, lanes, tail, tracer, .. } = self;
        directory.file("report.html", &html::page(summary, &timeline, &lanes))?;
        let path = directory.finish(summary)?;
        let trace = tracer.map(Tracer::finish);
        Ok(Recorded { directory: path, timeline, last_commands: tail.into(), trace })
    }
}

/// What is left of a recording when it ends.
#[derive(Debug)]
pub struct Recorded {
    /// The run's directory.
    pub directory: std::path::PathBuf,
    /// The story.
    pub timeline: Timeline,
    /// The last commands on the wire.
    pub last_commands: Vec<Event>,
    /// The story for a comparison, if the run is one of several of the same in real time.
    pub trace: Option<Trace>,
}
