//! Array operations on a LUN that prevent a host from using it.

use std::{fmt, str::FromStr};

use crate::names::{Names, choices, name_of, named};

/// An array operation on a LUN that restricts what hosts can do with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Condition {
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

impl Condition {
    const NAMES: Names<Condition, 3> = [
        ("none", Condition::None),
        ("array-copy", Condition::ArrayCopy),
        ("inactive-snapshot", Condition::InactiveSnapshot),
    ];
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(&Self::NAMES, self))
    }
}

/// The error for a name that is not a condition of a LUN. It holds the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a condition of a LUN: {list}", list = choices(&Condition::NAMES))]
pub struct ParseConditionError(String);

impl FromStr for Condition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseConditionError(text.into()))
    }
}
