//! The steps of a story: when each is due, and carrying them out.

use std::{sync::Arc, time::Duration};

use sansim_array::{Array, Changed, Lun, StateChange};
use sansim_lab::LabError;
use sansim_protocol::{Answer, Call, MapStatus, PathState, WorkloadReport};
use sansim_time::{Clock, Time};

use super::{
    guest::{Guest, Paths, unexpected},
    placeholder::{Form, fill},
};
use crate::lang::plan::{Occurrence, Reinstate, Scenario, Step, StepAction, Trigger};

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It waits for an event.
    Waiting,
    /// It is to be taken at this time.
    Due(Time),
    /// It is being taken.
    Running,
    /// It is done, well or badly.
    Done,
}

/// The steps of a story and how far each has come.
pub(super) struct Script<'s> {
    steps: &'s [Step],
    progress: Vec<Progress>,
}

/// What happened, as far as a step can wait for it.
pub(super) enum Seen<'e> {
    /// A command was completed.
    Command,
    /// The array's state changed, or it put a command under a hold.
    Change(&'e StateChange),
    /// A map shows a new status.
    Map(&'e MapStatus),
    /// The kernel logged a line.
    Log(&'e str),
    /// A step is done.
    Step(&'e str),
}

impl<'s> Script<'s> {
    /// The script of a story that begins at `start`.
    pub(super) fn new(steps: &'s [Step], start: Time) -> Self {
        let first = |step: &Step| match step.trigger {
            Trigger::At(at) => Progress::Due(start + at),
            Trigger::On { .. } => Progress::Waiting,
        };
        Script { steps, progress: steps.iter().map(first).collect() }
    }

    /// Lets the steps that wait for this become due.
    pub(super) fn see(&mut self, seen: &Seen<'_>, now: Time, array: &Array, paths: &Paths) {
        for (step, progress) in self.steps.iter().zip(&mut self.progress) {
            if let (Trigger::On { event, after }, Progress::Waiting) = (&step.trigger, *progress)
                && happened(event, seen, array, paths)
            {
                *progress = Progress::Due(now + *after);
            }
        }
    }

    /// The next step that is due by `now`; it counts as running from here.
    pub(super) fn next_due(&mut self, now: Time) -> Option<usize> {
        let due = |progress: &Progress| matches!(progress, Progress::Due(at) if *at <= now);
        let first = (0..self.steps.len()).filter(|&index| due(&self.progress[index])).min_by_key(
            |&index| match self.progress[index] {
                Progress::Due(at) => at,
                _ => Time::ZERO,
            },
        )?;
        self.progress[first] = Progress::Running;
        Some(first)
    }

    /// When the next step is due, if that is known.
    pub(super) fn next_time(&self) -> Option<Time> {
        let due = self.progress.iter().filter_map(|progress| match progress {
            Progress::Due(at) => Some(*at),
            _ => None,
        });
        due.min()
    }

    /// Notes that a step is done.
    pub(super) fn done(&mut self, index: usize) {
        self.progress[index] = Progress::Done;
    }

    /// The steps that are not done.
    pub(super) fn open(&self) -> impl Iterator<Item = &'s Step> {
        let steps = self.steps.iter().zip(&self.progress);
        steps.filter(|(_, progress)| **progress != Progress::Done).map(|(step, _)| step)
    }

    /// Whether no step is running or has a time at which it will be taken.
    pub(super) fn at_rest(&self) -> bool {
        self.progress.iter().all(|p| matches!(p, Progress::Waiting | Progress::Done))
    }
}

fn happened(event: &Occurrence, seen: &Seen<'_>, array: &Array, paths: &Paths) -> bool {
    match (event, seen) {
        (Occurrence::Fault { name, nth }, Seen::Command | Seen::Change(_)) => {
            array.rule_matches().iter().any(|(rule, fired)| rule == name && fired >= nth)
        }
        (Occurrence::Held(name), Seen::Change(change)) => {
            matches!(&change.what, Changed::Parked { hold: Some(hold), .. } if hold == name)
        }
        (Occurrence::Owner { lun, controller }, Seen::Change(change)) => {
            matches!(&change.what, Changed::Owner { lun: l, to, .. } if l == lun && to == controller)
        }
        (Occurrence::PgInit { rounds, lun }, Seen::Map(status)) => {
            status.map == Scenario::map_name(*lun) && status.rounds >= *rounds
        }
        (Occurrence::PathFailed { path, lun }, Seen::Map(status)) => {
            let mut failed = status
                .groups
                .iter()
                .flat_map(|g| &g.paths)
                .filter(|p| p.state == PathState::Failed);
            status.map == Scenario::map_name(*lun)
                && failed.any(|p| paths.nexus(&p.dev).is_some_and(|nexus| path.matches(nexus)))
        }
        (Occurrence::Log(text), Seen::Log(line)) => line.contains(text.as_str()),
        (Occurrence::Step(name), Seen::Step(done)) => name == done,
        _ => false,
    }
}

/// What carrying out a step has brought.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing to tell.
    Done,
    /// A program of the guest has ended.
    Ran {
        /// Exit code; none when it was killed.
        code: Option<i32>,
        /// Standard output.
        stdout: String,
        /// Standard error.
        stderr: String,
    },
    /// The workload was stopped.
    Stopped(Box<WorkloadReport>),
    /// The story is over.
    End,
}

/// Why a step could not be carried out.
enum Refused {
    Lab(LabError),
    Step(String),
}

impl From<LabError> for Refused {
    fn from(error: LabError) -> Self {
        Refused::Lab(error)
    }
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Refused::Step(why)
    }
}

/// What steps are carried out with.
#[derive(Clone)]
pub(super) struct Stage {
    /// The array.
    pub(super) array: Arc<Array>,
    /// The clock of the run.
    pub(super) clock: Arc<dyn Clock>,
    /// The guest.
    pub(super) guest: Guest,
    /// Which disk is which path.
    pub(super) paths: Arc<Paths>,
    /// The LUN that is meant where a step names none.
    pub(super) main_lun: Lun,
}

impl Stage {
    /// Carries out what a step does to the array, which takes no time. None for the other steps.
    pub(super) fn apply(&self, action: &StepAction) -> Option<Result<Outcome, String>> {
        match action {
            StepAction::Array(action) => {
                let applied = self.array.apply(self.clock.now(), action.clone());
                Some(applied.map(|()| Outcome::Done).map_err(|error| error.to_string()))
            }
            StepAction::End => Some(Ok(Outcome::End)),
            _ => None,
        }
    }

    /// Carries out what a step asks of the guest, which may take long.
    ///
    /// # Errors
    /// When the agent is gone or will not, or the guest has no such disk.
    pub(super) async fn perform(self, action: StepAction) -> Result<Outcome, String> {
        self.ask(action).await.map_err(|refused| match refused {
            Refused::Lab(error) => error.to_string(),
            Refused::Step(why) => why,
        })
    }

    async fn ask(&self, action: StepAction) -> Result<Outcome, Refused> {
        match action {
            StepAction::Message { lun, text } => self.message(lun, text).await,
            StepAction::Reinstate { lun, paths } => {
                for nexus in self.paths.of(lun) {
                    let meant = match paths {
                        Reinstate::All => true,
                        Reinstate::Paths(pattern) => pattern.matches(nexus),
                    };
                    if let Some(disk) = self.paths.disk(nexus, lun).filter(|_| meant) {
                        self.message(lun, format!("reinstate_path {}", disk.dev)).await?;
                    }
                }
                Ok(Outcome::Done)
            }
            StepAction::Run { argv, timeout } => self.run(argv, timeout).await,
            StepAction::Write { path, text } => {
                let path = fill(&path, Form::Name, &self.paths, self.main_lun)?;
                let call = Call::WriteFile { path, text };
                self.guest.call(call, Duration::from_secs(30)).await?;
                Ok(Outcome::Done)
            }
            StepAction::StopWorkload => {
                let report = self.guest.stop_workload(self.main_lun).await?;
                Ok(Outcome::Stopped(Box::new(report)))
            }
            StepAction::Array(_) | StepAction::End => Ok(Outcome::Done),
        }
    }

    async fn message(&self, lun: Lun, message: String) -> Result<Outcome, Refused> {
        let call = Call::Message { map: Scenario::map_name(lun), message };
        self.guest.call(call, Duration::from_secs(30)).await?;
        Ok(Outcome::Done)
    }

    async fn run(&self, argv: Vec<String>, timeout: Duration) -> Result<Outcome, Refused> {
        let filled = |word: &String| fill(word, Form::Path, &self.paths, self.main_lun);
        let argv = argv.iter().map(filled).collect::<Result<_, _>>()?;
        let call = Call::Run { argv, timeout_ms: timeout.as_millis() as u64 };
        match self.guest.call(call, timeout + Duration::from_secs(30)).await? {
            Answer::Ran { code, stdout, stderr } => Ok(Outcome::Ran { code, stdout, stderr }),
            other => Err(unexpected("Run", &other).into()),
        }
    }
}
