//! Suites of runs: finds the scenario files, runs several at once, and compares repeated runs.
//!
//! This crate may import single runs (`sansim-run`) and reports.

#![forbid(unsafe_code)]

mod comparison;
mod costs;
mod find;
mod lab;
mod repetitions;
mod schedule;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    time::Duration,
};

use costs::Costs;
pub use find::find_scenarios;

pub use lab::Lab;
use repetitions::Repetitions;
use sansim_lab::{MemoryGauge, Templates, available_memory};
use sansim_report::{
    repeat::Repeat,
    verdict::{Summary, Verdict},
};
use sansim_run::{Finished, RunError, RunSpec, Sink, run};
use schedule::{Occupancy, has_room, longest_first};
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken as Cancel;

/// How often to check whether there is memory for another run.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Options of a suite.
#[derive(Debug, Clone, Copy)]
pub struct SuiteOptions {
    /// Maximum number of runs at the same time; 0 counts as 1.
    pub jobs: usize,
    /// Start no further run after the verdict fail or error, or a run without a verdict.
    pub fail_fast: bool,
}

/// The results of a suite's runs, in the order of their specs; `None` for a run that was not started, after an
/// interrupt or because of `fail_fast`.
pub type Results = Vec<Option<Result<Summary, RunError>>>;

/// The results of a suite.
#[derive(Debug)]
pub struct Played {
    /// The results of its runs.
    pub results: Results,
    /// The comparisons of repeated runs.
    pub repeats: Vec<Repeat>,
}

/// Runs everything, at most `jobs` at a time, and no more than the host has memory for.
pub async fn run_suite(
    specs: Vec<RunSpec>,
    options: SuiteOptions,
    lab: &Lab,
    sink: Arc<dyn Sink>,
    cancel: &Cancel,
) -> Played {
    let costs = Costs::read(lab.store.path().join("costs.json"));
    let waiting = match options.jobs {
        0 | 1 => (0..specs.len()).collect(),
        _ => longest_first(&specs.iter().map(|spec| costs.of(spec)).collect::<Vec<_>>()),
    };
    let suite = Suite {
        results: specs.iter().map(|_| None).collect(),
        specs: specs.into_iter().map(Arc::new).collect(),
        waiting,
        short: None,
        going: HashMap::new(),
        runs: JoinSet::new(),
        costs,
        options,
        templates: lab.templates.clone(),
        repetitions: Repetitions::new(Arc::clone(&sink)),
        sink,
        enough: cancel.child_token(),
        cancel: cancel.clone(),
    };
    suite.run().await
}

/// A suite in progress.
struct Suite {
    specs: Vec<Arc<RunSpec>>,
    results: Results,
    /// Indexes of runs that have not been started, in order.
    waiting: VecDeque<usize>,
    /// The run that waits for memory; reported once.
    short: Option<usize>,
    going: HashMap<task::Id, Going>,
    runs: JoinSet<Result<Finished, RunError>>,
    costs: Costs,
    options: SuiteOptions,
    templates: Templates,
    sink: Arc<dyn Sink>,
    repetitions: Repetitions,
    /// Cancelled when no further run is to be started.
    enough: Cancel,
    cancel: Cancel,
}

/// A run in progress.
struct Going {
    index: usize,
    /// Measures its machine's memory; set once the machine exists.
    memory: Arc<OnceLock<MemoryGauge>>,
}

impl Suite {
    async fn run(mut self) -> Played {
        loop {
            while let Some(index) = self.next() {
                self.start(index);
            }
            // Memory may become available when a run ends, and also later, when other programs
            // end.
            match tokio::time::timeout(LOOK_AGAIN, self.runs.join_next_with_id()).await {
                Ok(Some(Ok((id, result)))) => self.end(id, result).await,
                Ok(Some(Err(error))) => {
                    self.end(error.id(), Err(RunError::Panicked)).await;
                }
                Ok(None) => break,
                Err(_) => {}
            }
        }
        Played { results: self.results, repeats: self.repetitions.finish().await }
    }

    /// Takes the next run from the queue, if it may start now.
    fn next(&mut self) -> Option<usize> {
        let index = *self.waiting.front()?;
        if self.enough.is_cancelled() || self.runs.len() >= self.options.jobs.max(1) {
            return None;
        }
        let going: Vec<Occupancy> = self.going.values().map(|run| self.occupancy(run)).collect();
        let room =
            has_room(self.specs[index].scenario.setup.guest.memory, available_memory(), &going);
        if !room && self.short != Some(index) {
            self.sink.stage(&self.specs[index].id, "waiting for memory");
            self.short = Some(index);
        }
        if room { self.waiting.pop_front() } else { None }
    }

    fn occupancy(&self, run: &Going) -> Occupancy {
        let touched = run.memory.get().and_then(MemoryGauge::bytes).unwrap_or_default();
        Occupancy { guest: self.specs[run.index].scenario.setup.guest.memory, touched }
    }

    fn start(&mut self, index: usize) {
        let memory = Arc::new(OnceLock::new());
        let (spec, templates) = (Arc::clone(&self.specs[index]), self.templates.clone());
        let (sink, cancel) = (Arc::clone(&self.sink), self.cancel.clone());
        let gauge = Arc::clone(&memory);
        let run = async move { run(&spec, &templates, sink.as_ref(), &cancel, &gauge).await };
        // Unconstrained: if tokio's cooperative budget made a busy task yield, the task would look idle, and
        // the guest's clock would advance too early. The task waits for its guest often enough.
        let id = self.runs.spawn(task::unconstrained(run)).id();
        self.going.insert(id, Going { index, memory });
    }

    async fn end(&mut self, id: task::Id, mut result: Result<Finished, RunError>) {
        let Some(Going { index, .. }) = self.going.remove(&id) else { return };
        let spec = &self.specs[index];
        if let Ok(finished) = &result {
            self.sink.finished(&spec.id, finished);
            // A failed lab says nothing about the scenario's duration.
            if finished.summary.verdict != Verdict::Error {
                self.costs.remember(spec, finished.summary.wall_s);
            }
        }
        let passed = |f: &Finished| !matches!(f.summary.verdict, Verdict::Fail | Verdict::Error);
        if self.options.fail_fast && !result.as_ref().is_ok_and(passed) {
            self.enough.cancel();
        }
        self.repetitions.ended(spec, &mut result).await;
        self.results[index] = Some(result.map(|finished| finished.summary));
    }
}
