//! Expectations: conditions with deadlines.

use std::{sync::Arc, time::Duration};

use crate::{Condition, Judgement, Miss, World};

/// Conditions and the time at which they are evaluated.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// When the conditions must hold.
    pub when: Deadline,
    /// The conditions, at least one. All must hold at the same time.
    pub conditions: Vec<Arc<dyn Condition>>,
    /// The explanation for a failure; empty if there is none.
    pub because: String,
    /// The expectation in words.
    pub text: String,
}

/// When the conditions of an expectation must hold, in story time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// At some time no later than this. Conditions on I/O must also hold at the end.
    By(Duration),
    /// At exactly this time.
    At(Duration),
    /// At the end of the story.
    End,
    /// At no time of the story.
    Never,
}

impl Expectation {
    /// Evaluates every condition now, regardless of the deadline.
    pub fn judge(&self, world: &World) -> Judgement {
        all(self.conditions.iter(), world)
    }

    /// Evaluates the conditions that depend on the workload's own report. A `by` expectation that
    /// held in time is evaluated with them again at the end.
    pub fn judge_io(&self, world: &World) -> Judgement {
        all(self.conditions.iter().filter(|condition| condition.is_about_io()), world)
    }
}

/// The judgement that all of these conditions hold.
fn all<'c>(conditions: impl Iterator<Item = &'c Arc<dyn Condition>>, world: &World) -> Judgement {
    let mut whole = Judgement::new(true, "");
    for condition in conditions {
        let part = condition.judge(world);
        if !whole.seen.is_empty() {
            whole.seen.push_str("; ");
        }
        whole.seen.push_str(&part.seen);
        if !part.holds {
            whole.holds = false;
            whole.misses.push(Miss { expected: condition.to_string(), seen: part.seen });
        }
    }
    whole
}
