//! Distributes the events of a run: to its directory, the timeline, the summary's counters and the sink.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use sansim_array::{CommandRecord, Nexus, Stage, StateChange};
use sansim_lab::Hold;

use sansim_report::{
    html,
    lanes::Lanes,
    outcome::{OutcomeTracker, Outcomes},
    pause::{self, Pause},
    repeat::{Trace, Tracer},
    timeline::Timeline,
    timings::Timings,
    verdict::{CaptureSummary, Summary},
};
use sansim_stage::{
    Terminal,
    event::{Event, StoryTime, What, operation_name},
};

use crate::{
    Records, RunId, Successor,
    capture::Capturing,
    directory::{DirectoryError, RunDirectory},
    hold::{Lookout, Standing},
    sink::Sink,
    stopwatch::{Part, Stopwatch},
};

/// Number of last commands kept to explain a failure.
const TAIL: usize = 12;

pub(super) struct Recorder<'a> {
    id: RunId,
    directory: RunDirectory,
    sink: &'a dyn Sink,
    watch: Stopwatch,
    /// Converts to scenario time.
    pub(super) clockwork: StoryTime,
    timeline: Timeline,
    lanes: Lanes,
    outcomes: OutcomeTracker,
    pause: pause::Tracker,
    commands: BTreeMap<String, BTreeMap<String, u64>>,
    tail: VecDeque<Event>,
    /// Only for repeated runs in real time, which are compared.
    tracer: Option<Tracer>,
    /// The traffic for Wireshark, if it is wanted.
    traffic: Wanted,
    /// Detects the moment at which to stop the story.
    pub(super) lookout: Lookout,
    /// Scenario time of the latest event, in seconds.
    latest: f64,
}

impl<'a> Recorder<'a> {
    /// Writes to `directory` and passes events on to `sink`.
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
            pause: pause::Tracker::default(),
            commands: BTreeMap::new(),
            tail: VecDeque::with_capacity(TAIL),
            tracer: None,
            traffic: Wanted::No,
            lookout: Lookout::default(),
            latest: 0.0,
        }
    }

    /// Also records a trace, to compare this run with others.
    pub(super) fn trace(&mut self) {
        self.tracer = Some(Tracer::default());
    }

    /// Also captures the traffic of these paths.
    pub(super) fn capture(&mut self, nexuses: Vec<Nexus>) {
        self.traffic = Wanted::Of(nexuses);
    }

    /// Completes the capture; `None` if there is none.
    ///
    /// # Errors
    /// When any part of it could not be written.
    pub(super) fn captured(&mut self) -> Result<Option<CaptureSummary>, DirectoryError> {
        match std::mem::replace(&mut self.traffic, Wanted::No) {
            Wanted::Begun(capturing) => capturing.finish().map(Some),
            Wanted::No | Wanted::Of(_) => Ok(None),
        }
    }

    /// The capture. It begins with the first report, since the story's beginning is not known before.
    fn capturing(&mut self) -> Option<&mut Capturing> {
        if let Wanted::Of(nexuses) = &mut self.traffic {
            let (nexuses, zero) = (std::mem::take(nexuses), self.clockwork.zero());
            let begun = Capturing::begin(self.directory.path(), nexuses, zero);
            self.traffic = Wanted::Begun(Box::new(begun));
        }
        match &mut self.traffic {
            Wanted::Begun(capturing) => Some(capturing),
            _ => None,
        }
    }

    /// Passes a progress message on to the sink.
    pub(super) fn stage(&self, text: &str) {
        self.sink.stage(&self.id, text);
    }

    /// Starts the next part of the run.
    pub(super) fn enter(&mut self, part: Part) {
        self.watch.enter(part, Instant::now());
        if let Some(text) = part.in_words() {
            self.stage(text);
        }
    }

    /// The time of each part so far.
    pub(super) fn timings(&mut self) -> Timings {
        self.watch.read(Instant::now())
    }

    /// Notifies the sink that the story is stopped.
    pub(super) fn held(&self, standing: Standing, hold: Hold) {
        self.sink.held(&self.id, standing, hold);
    }

    /// Who takes the stage over, if anybody does.
    pub(super) fn successor(&self) -> Option<&'a dyn Successor> {
        self.sink.successor(&self.id)
    }

    /// The user's terminal, if a shell is requested at this moment.
    pub(super) fn terminal(&self, standing: &Standing) -> Option<Terminal> {
        self.sink.terminal(&self.id, standing)
    }

    /// The last lines of the timeline, at most `most`.
    pub(super) fn last_lines(&self, most: usize) -> Vec<String> {
        let lines = self.timeline.lines();
        lines[lines.len().saturating_sub(most)..].iter().map(ToString::to_string).collect()
    }

    /// Scenario time of the latest event, in seconds.
    pub(super) fn latest(&self) -> f64 {
        self.latest
    }

    /// Records an event at the time of the latest one.
    pub(super) fn emit_last(&mut self, what: What) {
        self.emit(Event { t: self.latest, what });
    }

    /// Commands of the story so far, by operation and controller.
    pub(super) fn commands(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.commands
    }

    /// The outcomes of the story so far.
    pub(super) fn outcomes(&self) -> &Outcomes {
        self.outcomes.outcomes()
    }

    /// The longest pause of the I/O so far.
    pub(super) fn pause(&self) -> Option<Pause> {
        self.pause.longest()
    }

    /// The run's directory.
    pub(super) fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// Closes the directory and returns the data for reports.
    ///
    /// # Errors
    /// When any part of the run could not be written.
    pub(super) fn finish(self, summary: &Summary) -> Result<Recorded, DirectoryError> {
        let Recorder { directory, timeline, lanes, tail, tracer, .. } = self;
        directory.file("report.html", &html::page(summary, &timeline, &lanes))?;
        let path = directory.finish(summary)?;
        let trace = tracer.map(Tracer::finish);
        Ok(Recorded { directory: path, timeline, last_commands: tail.into(), trace })
    }
}

impl Records for Recorder<'_> {
    fn clockwork(&self) -> StoryTime {
        self.clockwork
    }

    fn emit(&mut self, event: Event) {
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
        self.pause.event(&event);
        if matches!(&event.what, What::Command(_)) {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(event);
        }
    }

    fn change(&mut self, change: &StateChange) {
        if let Some(capturing) = self.capturing() {
            capturing.change(change);
        }
        self.emit(Event::state(change, &self.clockwork));
    }

    fn command(&mut self, record: &CommandRecord) {
        if let Some(capturing) = self.capturing() {
            capturing.command(record);
        }
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
}

/// Whether the traffic is captured.
enum Wanted {
    No,
    /// Of these paths, from the first report on.
    Of(Vec<Nexus>),
    Begun(Box<Capturing>),
}

/// The data of a finished run that reports need.
#[derive(Debug)]
pub struct Recorded {
    /// The run's directory.
    pub directory: std::path::PathBuf,
    /// The condensed story, for reports.
    pub timeline: Timeline,
    /// The last commands on the wire.
    pub last_commands: Vec<Event>,
    /// The trace to compare with other runs; only for repeated runs in real time.
    pub trace: Option<Trace>,
}
