//! Conditions on what has been observed in a run.

use std::fmt;

use sansim_protocol::MapStatus;
use serde::Serialize;

use crate::{Counted, Setup, World};
use sansim_array::Lun;

/// A condition on what has been observed in a run. `Display` describes the condition in words.
pub trait Condition: fmt::Debug + fmt::Display + Send + Sync {
    /// Evaluates the condition now.
    fn judge(&self, world: &World) -> Judgement;

    /// What must be counted from the beginning of the run so that the condition can be evaluated.
    fn counted(&self) -> Option<Counted> {
        None
    }

    /// The quantities that the condition is about, without the values that it asks of them: `the
    /// state of path B0 of LUN 0`. Two conditions with a subject in common are about the same.
    fn subjects(&self) -> Vec<String>;

    /// The subjects whose value is not the one that the condition asks for.
    fn missed(&self, world: &World) -> Vec<String> {
        if self.judge(world).holds { Vec::new() } else { self.subjects() }
    }

    /// Whether the condition is on the totals of the workload, which are only final in the
    /// workload's own report.
    fn is_about_io(&self) -> bool {
        false
    }
}

/// The result of evaluating a condition, or all conditions of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the condition holds.
    pub holds: bool,
    /// The observed value in words, whether the condition holds or not.
    pub seen: String,
    /// The conditions that do not hold.
    pub misses: Vec<Miss>,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The condition in words.
    pub expected: String,
    /// The observed value in words.
    pub seen: String,
}

impl Judgement {
    /// The judgement of a single condition.
    pub fn new(holds: bool, seen: impl Into<String>) -> Self {
        Judgement { holds, seen: seen.into(), misses: Vec::new() }
    }

    /// Evaluates a condition on the status of a LUN's map. Without a status, the condition does not
    /// hold.
    pub fn of_map(lun: Lun, world: &World, judge: impl FnOnce(&MapStatus) -> Judgement) -> Self {
        match world.map_seen(lun).and_then(|map| map.status.as_ref()) {
            Some(status) => judge(status),
            None => {
                Judgement::new(false, format!("the map {} has no status", Setup::map_name(lun)))
            }
        }
    }
}
