//! What an array does with a LUN that stands in the way of a host.

use std::{fmt, str::FromStr};

use crate::names::{Names, choices, name_of, named};

/// What an array is doing with a LUN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// Copying it within the array: a trespass is answered 05/04/00, for which Linux bypasses the
    /// path group (emc:trespass_endio).
    ArrayCopy,
    /// Keeping it as a snapshot that is not active: reads and writes are answered 05/25/01
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

/// A name that is not a condition of a LUN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a condition of a LUN: {list}", list = choices(&Condition::NAMES))]
pub struct ParseConditionError(String);

impl FromStr for Condition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseConditionError(text.into()))
    }
}
