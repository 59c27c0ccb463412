//! Runs of the same, compared as they end.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    repeat::{Comparison, Trace},
    run::{RunId, Sink},
};

/// The comparisons that go on.
pub(super) struct Repetitions {
    groups: BTreeMap<usize, Group>,
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
        Repetitions { groups: BTreeMap::new(), sink }
    }

    /// Takes a run that has ended; the last one of its group is followed by the comparison.
    pub(super) fn ended(&mut self, run: &RunId, trace: Option<Trace>) {
        let Some(repetition) = run.repetition else { return };
        let group = self.groups.entry(repetition.group).or_insert_with(|| Group {
            run: run.clone(),
            ended: 0,
            comparison: Comparison::default(),
        });
        group.ended += 1;
        if let Some(trace) = trace {
            group.comparison.add(repetition.number, trace);
        }
        if group.ended == repetition.of
            && let Some(whole) = self.groups.remove(&repetition.group)
        {
            whole.tell(self.sink.as_ref());
        }
    }

    /// Tells of comparisons that miss some runs: those that were not started any more.
    pub(super) fn finish(self) {
        self.groups.into_values().for_each(|group| group.tell(self.sink.as_ref()));
    }
}

impl Group {
    fn tell(self, sink: &dyn Sink) {
        if let Some(repeat) = self.comparison.finish() {
            sink.repeated(&self.run, &repeat);
        }
    }
}
