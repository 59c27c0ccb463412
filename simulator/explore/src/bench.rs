//! Where stories are told: the images, and a place for the files of runs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use sansim_lab::{AccelDecision, Image, Templates, TimeMode};
use sansim_language::{Law, Scenario};
use sansim_report::{
    repeat::Repeat,
    verdict::{Summary, Verdict},
};
use sansim_run::{Finished, RunError, RunId, RunSpec, Sink, run};
use sansim_stage::event::Event;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::{self, JoinSet},
};
use tokio_util::sync::CancellationToken as Cancel;

use crate::{
    Stop,
    guide::Blocks,
    judge::{Judge, Judgement},
    render::Told,
};

/// An image to tell stories on.
#[derive(Debug, Clone)]
pub struct On {
    /// Its name in reports.
    pub label: String,
    /// The image.
    pub image: Image,
    /// How QEMU runs the guest's code.
    pub accel: AccelDecision,
    /// Its blocks, if it is to be seen which of them a story executes.
    pub blocks: Option<Blocks>,
}

/// Where stories are told.
pub struct Bench {
    /// The guests that were booted once and saved.
    pub templates: Templates,
    /// The images, at least one.
    pub on: Vec<On>,
    /// How the guest's time passes.
    pub time: TimeMode,
    /// How many stories are told at a time.
    pub jobs: Jobs,
    /// How long a story may take of the host's time.
    pub host_timeout: Duration,
    /// The directory for the files of runs, which are removed after each.
    pub work: PathBuf,
    /// Ends everything.
    pub cancel: Cancel,
}

/// How many stories are told at a time: those of a batch, and those that make a finding short, together.
pub struct Jobs {
    count: usize,
    turns: Semaphore,
}

impl Jobs {
    /// So many, at least one.
    pub fn at_a_time(count: usize) -> Jobs {
        let count = count.max(1);
        Jobs { count, turns: Semaphore::new(count) }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Waits until it is a story's turn, which ends when what is returned is dropped.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }
}

/// A story to tell.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) told: Told,
    /// The file that it is made of.
    pub(crate) file: PathBuf,
    pub(crate) seed: u32,
    /// The index of the image.
    pub(crate) on: usize,
    /// The laws that it is judged by.
    pub(crate) laws: Arc<BTreeSet<Law>>,
}

/// What a story came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) judgement: Judgement,
    pub(crate) summary: Summary,
    /// A hash of all events.
    pub(crate) hash: blake3::Hash,
    /// The numbers of the kernel's blocks that its guest has executed since its boot.
    pub(crate) blocks: BTreeSet<u64>,
    /// The files of the run, if they are kept.
    pub(crate) directory: PathBuf,
}

impl Outcome {
    /// Why the story came to no end: QEMU, the guest or sansim failed.
    pub(crate) fn died(&self) -> Option<&str> {
        let reason = self.summary.reason.as_deref().unwrap_or_default();
        (self.summary.verdict == Verdict::Error).then_some(reason)
    }
}

/// Judges and hashes the events of a run.
struct Watch {
    inner: Mutex<(Option<Judge>, blake3::Hasher)>,
}

impl Sink for Watch {
    fn stage(&self, _run: &RunId, _stage: &str) {}

    fn event(&self, _run: &RunId, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(line) = serde_json::to_vec(event) {
            inner.1.update(&line);
        }
        if let Some(judge) = &mut inner.0 {
            judge.see(event);
        }
    }

    fn finished(&self, _run: &RunId, _finished: &Finished) {}

    fn repeated(&self, _run: &RunId, _repeat: &Repeat) {}
}

impl Bench {
    /// Tells these stories, as many at a time as there are jobs, and returns what they came to in the same order.
    ///
    /// # Errors
    /// When the user interrupts, or the disk is full.
    pub(crate) async fn tell_all(
        self: &Arc<Self>,
        tasks: Vec<Task>,
        keep: bool,
    ) -> Result<Vec<Outcome>, Stop> {
        let mut waiting = tasks.into_iter().enumerate();
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        let mut going = JoinSet::new();
        loop {
            while going.len() < self.jobs.count() {
                let Some((index, task)) = waiting.next() else { break };
                outcomes.push(None);
                let bench = Arc::clone(self);
                let told = async move { (index, bench.tell(index, task, keep).await) };
                // Unconstrained: see sansim-suite. A task that yields would look idle to its guest's clock.
                going.spawn(task::unconstrained(told));
            }
            match going.join_next().await {
                None => break,
                Some(Ok((index, outcome))) => outcomes[index] = Some(outcome?),
                Some(Err(error)) => return Err(Stop::Panicked(error.to_string())),
            }
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    async fn tell(&self, index: usize, task: Task, keep: bool) -> Result<Outcome, Stop> {
        let _turn = self.jobs.turn().await;
        let judge = Judge::new(&task.told, &task.laws);
        let watch = Watch { inner: Mutex::new((Some(judge), blake3::Hasher::new())) };
        let blocks = self.on[task.on].blocks.clone();
        let spec = self.spec(index, task);
        let finished =
            run(&spec, &self.templates, &watch, &self.cancel, &Arc::new(OnceLock::new())).await;
        let finished = finished.map_err(|error| match error {
            RunError::Interrupted => Stop::Interrupted,
            RunError::Directory(error) => Stop::Disk(error.to_string()),
            error => Stop::Lab(error.to_string()),
        })?;
        let directory = finished.recorded.directory.clone();
        if !keep {
            // What cannot be removed now is with the whole directory, at the end.
            let _ = std::fs::remove_dir_all(&directory);
        }
        let (judge, hasher) = watch.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let judgement = judge.map(|judge| judge.close(&finished.summary)).unwrap_or_default();
        let hash = hasher.finalize();
        // What a story executed that came to no end is not the story's.
        let executed = match (&blocks, &finished.marks) {
            (Some(blocks), Some(marks)) if finished.summary.verdict != Verdict::Error => {
                blocks.executed(marks)
            }
            _ => BTreeSet::new(),
        };
        let summary = finished.summary;
        Ok(Outcome { judgement, summary, hash, blocks: executed, directory })
    }

    fn spec(&self, index: usize, task: Task) -> RunSpec {
        let On { label, image, accel, blocks } = self.on[task.on].clone();
        let scenario = task.told.scenario;
        RunSpec {
            id: RunId {
                index,
                name: format!("story-{index}"),
                file: task.file,
                image: label,
                among_images: false,
                repetition: None,
            },
            scenario,
            image,
            accel,
            time: self.time,
            seed: task.seed.into(),
            cold: false,
            out: self.work.clone(),
            stamp: "explored".to_owned(),
            repeat: String::new(),
            alone: false,
            host_timeout: Some(self.host_timeout),
            until: None,
            write_down: false,
            capture: None,
            marks: blocks.is_some(),
            from: None,
        }
    }

    /// Tells one story, and keeps its files.
    pub(crate) async fn tell_one(self: &Arc<Self>, task: Task) -> Result<Outcome, Stop> {
        let mut outcomes = self.tell_all(vec![task], true).await?;
        outcomes.pop().ok_or_else(|| Stop::Lab("the story has no outcome".to_owned()))
    }
}

/// A story as it stands in a file.
pub(crate) fn as_written(scenario: Scenario) -> Told {
    Told { scenario, heal: None }
}

/// Moves the files of a run to another place.
pub(crate) fn move_run(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::rename(from, to)
}
