//! Groups repeated runs, and compares each group when all its runs have ended.

use std::{collections::BTreeMap, panic::resume_unwind, sync::Arc};

use sansim_report::repeat::Repeat;
use sansim_run::{Finished, RunError, RunId, RunSpec, Sink};

use crate::comparison::Comparison;

/// The comparisons in progress, and the results of the others.
pub(super) struct Repetitions {
    groups: BTreeMap<usize, Group>,
    done: Vec<Repeat>,
    sink: Arc<dyn Sink>,
}

struct Group {
    run: RunId,
    ended: u32,
    comparison: Comparison,
}

impl Repetitions {
    /// Passes the results on to `sink`.
    pub(super) fn new(sink: Arc<dyn Sink>) -> Self {
        Repetitions { groups: BTreeMap::new(), done: Vec::new(), sink }
    }

    /// Adds a run that has ended, and takes its trace. After the last run of a group, compares the group.
    pub(super) async fn ended(&mut self, spec: &RunSpec, result: &mut Result<Finished, RunError>) {
        let Some(repetition) = spec.id.repetition else { return };
        let group = self.groups.entry(repetition.group).or_insert_with(|| Group {
            run: spec.id.clone(),
            ended: 0,
            comparison: Comparison::new(spec.exactness()),
        });
        group.ended += 1;
        group.comparison.add(repetition.number, result);
        if group.ended == repetition.of
            && let Some(whole) = self.groups.remove(&repetition.group)
        {
            self.compare(whole).await;
        }
    }

    /// Compares the remaining groups, in which some runs were not started. Returns all results, in the order of
    /// the comparisons.
    pub(super) async fn finish(mut self) -> Vec<Repeat> {
        for group in std::mem::take(&mut self.groups).into_values() {
            self.compare(group).await;
        }
        self.done
    }

    /// Compares in a separate thread: files may be large, and other runs are in progress.
    async fn compare(&mut self, group: Group) {
        let Group { run, comparison, .. } = group;
        let compared = tokio::task::spawn_blocking(|| comparison.finish()).await;
        let repeat = compared.unwrap_or_else(|error| match error.try_into_panic() {
            // A failed comparison must not look like one without differences.
            Ok(panic) => resume_unwind(panic),
            Err(_) => None,
        });
        if let Some(repeat) = repeat {
            self.sink.repeated(&run, &repeat);
            self.done.push(repeat);
        }
    }
}
