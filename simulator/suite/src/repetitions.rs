//! Runs of the same, compared when they have ended.

use std::{collections::BTreeMap, panic::resume_unwind, sync::Arc};

use sansim_report::repeat::Repeat;
use sansim_run::{Finished, RunError, RunId, RunSpec, Sink};

use crate::comparison::Comparison;

/// The comparisons that go on, and what came of the others.
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
    /// Tells `sink` of comparisons.
    pub(super) fn new(sink: Arc<dyn Sink>) -> Self {
        Repetitions { groups: BTreeMap::new(), done: Vec::new(), sink }
    }

    /// Takes a run that has ended, and its trace out of it; the last one of its group is followed by
    /// the comparison.
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

    /// Makes the comparisons that miss some runs, those that were not started any more. How the runs of
    /// each group compare, in the order in which they were compared.
    pub(super) async fn finish(mut self) -> Vec<Repeat> {
        for group in std::mem::take(&mut self.groups).into_values() {
            self.compare(group).await;
        }
        self.done
    }

    /// Compares, on a thread of its own: files may be large, and other runs go on.
    async fn compare(&mut self, group: Group) {
        let Group { run, comparison, .. } = group;
        let compared = tokio::task::spawn_blocking(|| comparison.finish()).await;
        let repeat = compared.unwrap_or_else(|error| match error.try_into_panic() {
            // A comparison that came to nothing must not pass for one that found no difference.
            Ok(panic) => resume_unwind(panic),
            Err(_) => None,
        });
        if let Some(repeat) = repeat {
            self.sink.repeated(&run, &repeat);
            self.done.push(repeat);
        }
    }
}
