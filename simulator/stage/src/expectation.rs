//! What must be so, and when.

use std::{sync::Arc, time::Duration};

use crate::{Condition, Judgement, Miss, World};

/// Conditions and the time at which they are judged.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// When they must be so.
    pub when: Deadline,
    /// What must be so, all of it at the same time; at least one.
    pub conditions: Vec<Arc<dyn Condition>>,
    /// What a reader is told when they are not so; empty if there is nothing to tell.
    pub because: String,
    /// All of it in words.
    pub text: String,
}

/// When an expectation must be so. Times are those of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// At some time not later than this. Limits on I/O must hold then and at the end too.
    By(Duration),
    /// At this very time.
    At(Duration),
    /// At the end of the story.
    End,
    /// At no time of the story.
    Never,
}

impl Expectation {
    /// Whether every condition is fulfilled now, whatever the time is.
    pub fn judge(&self, world: &World) -> Judgement {
        all(self.conditions.iter(), world)
    }

    /// Whether the conditions that only the workload's own report can decide are fulfilled now. A `by`
    /// expectation that was fulfilled in time is judged by them again at the end.
    pub fn judge_io(&self, world: &World) -> Judgement {
        all(self.conditions.iter().filter(|condition| condition.is_about_io()), world)
    }
}

/// All of these conditions together.
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
