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
    /// The step that must have been completed before the conditions are looked at.
    pub after: Option<String>,
    /// Whether the conditions must have ceased to hold before they hold.
    pub again: bool,
    /// What is known to be seen instead.
    pub known: Option<Symptom>,
}

/// A failure that is known, with what is seen when it happens.
#[derive(Debug, Clone)]
pub struct Symptom {
    /// The reason for the failure: a commit, a report or a sentence.
    pub because: String,
    /// The conditions that hold instead. Whatever else the expectation asks for must be met.
    pub conditions: Vec<Arc<dyn Condition>>,
}

/// Which conditions to look at: the totals of the workload are not final before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Io,
    WithoutIo,
}

impl Part {
    fn has(self, condition: &Arc<dyn Condition>) -> bool {
        self == Part::All || condition.is_about_io() == (self == Part::Io)
    }
}

impl Symptom {
    /// Compares what is seen with the symptom. A condition of `expected` that does not hold must
    /// have all its missed subjects in the symptom.
    pub(crate) fn judge(&self, expected: &Expectation, world: &World, part: Part) -> Judgement {
        let fit = |condition: &&Arc<dyn Condition>| part.has(condition);
        let mut judgement = all(self.conditions.iter().filter(fit), world);
        let foreseen: Vec<_> = self.conditions.iter().flat_map(|it| it.subjects()).collect();
        for condition in expected.conditions.iter().filter(fit) {
            let missed = condition.missed(world);
            if missed.iter().any(|subject| !foreseen.contains(subject)) {
                let seen = condition.judge(world).seen;
                judgement.misses.push(Miss { expected: condition.to_string(), seen });
                judgement.holds = false;
            }
        }
        judgement
    }

    /// The symptom in words.
    pub(crate) fn text(&self) -> String {
        let conditions = self.conditions.iter().map(ToString::to_string);
        conditions.collect::<Vec<_>>().join("; ")
    }
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
