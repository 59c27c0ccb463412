//! Something that can be so or not.

use std::fmt;

use sansim_protocol::MapStatus;
use serde::Serialize;

use crate::{Counted, Setup, World};
use sansim_array::Lun;

/// Something that can be so or not. Its `Display` says what it asks for, in words.
pub trait Condition: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether it is fulfilled now.
    fn judge(&self, world: &World) -> Judgement;

    /// What has to be counted for it from the beginning of the run.
    fn counted(&self) -> Option<Counted> {
        None
    }

    /// Whether it limits the totals of the workload, which only the workload's own report knows for certain.
    fn is_about_io(&self) -> bool {
        false
    }
}

/// What came of looking at a condition, or at all conditions of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it is so.
    pub holds: bool,
    /// What was seen instead, or to confirm it, in words.
    pub seen: String,
    /// The conditions that are not fulfilled.
    pub misses: Vec<Miss>,
}

/// A condition that is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The condition, in words.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
}

impl Judgement {
    /// A judgement about a single condition.
    pub fn new(holds: bool, seen: impl Into<String>) -> Self {
        Judgement { holds, seen: seen.into(), misses: Vec::new() }
    }

    /// A judgement about the status of a LUN's map; without one nothing holds.
    pub fn of_map(lun: Lun, world: &World, judge: impl FnOnce(&MapStatus) -> Judgement) -> Self {
        match world.map_seen(lun).and_then(|map| map.status.as_ref()) {
            Some(status) => judge(status),
            None => {
                Judgement::new(false, format!("the map {} has no status", Setup::map_name(lun)))
            }
        }
    }
}
