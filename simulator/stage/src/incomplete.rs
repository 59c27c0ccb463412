//! What was not complete when a story began.

use std::fmt;

use sansim_array::Lun;

/// Something that was not complete when the story began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// What it is.
    pub what: Part,
    /// How it was, in words: `3 of 4 disks`.
    pub how: String,
}

/// What can be incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The disks of a LUN.
    Disks(Lun),
    /// The map of a LUN, which is not there.
    Map(Lun),
    /// The paths of a LUN's map.
    Paths(Lun),
    /// multipathd, which does not answer.
    Multipathd,
}

impl Part {
    /// The LUN that has no map, or not all its disks.
    pub fn missing_of(self) -> Option<Lun> {
        match self {
            Part::Disks(lun) | Part::Map(lun) => Some(lun),
            Part::Paths(_) | Part::Multipathd => None,
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Part::Disks(lun) => write!(f, "of LUN {lun}, the guest has {}", self.how),
            Part::Map(lun) => write!(f, "LUN {lun} has no map: {}", self.how),
            Part::Paths(lun) => write!(f, "the map of LUN {lun} has {}", self.how),
            Part::Multipathd => write!(f, "multipathd: {}", self.how),
        }
    }
}
