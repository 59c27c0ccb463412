//! Array operations on a LUN that prevent a host from using it.

use std::{fmt, str::FromStr};

use crate::names::{Names, choices, name_of, named};

/// An array operation on a LUN that restricts what hosts can do with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LunCondition {
    /// No array operation restricts the LUN.
    #[default]
    None,
    /// The LUN is being copied within the array. A trespass is answered 05/04/00, and Linux then
    /// bypasses the path group (emc:trespass_endio).
    ArrayCopy,
    /// The LUN is an inactive snapshot. Reads and writes are answered 05/25/01
    /// (emc:clariion_check_sense).
    InactiveSnapshot,
}

impl LunCondition {
    const NAMES: Names<LunCondition, 3> = [
        ("none", LunCondition::None),
        ("array-copy", LunCondition::ArrayCopy),
        ("inactive-snapshot", LunCondition::InactiveSnapshot),
    ];
}

impl fmt::Display for LunCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(&Self::NAMES, self))
    }
}

/// The error for a name that is not a condition of a LUN. It holds the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a condition of a LUN: {list}", list = choices(&LunCondition::NAMES))]
pub struct ParseConditionError(String);

impl FromStr for LunCondition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseConditionError(text.into()))
    }
}
