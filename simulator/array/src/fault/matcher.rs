//! Operation names in fault rules.

use std::{fmt, str::FromStr};

use crate::{
    operation::{Class, OPERATIONS, Operation},
    task_management::TaskManagement,
};

/// The set of operations that a fault rule matches.
///
/// Parsed from a name of SPC or SBC: `MODE SELECT(10)` matches only that operation, `MODE SELECT`
/// matches it with every CDB length, `medium` matches every operation that reads or writes the
/// medium, and `any` matches every command, even one with an unknown operation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpMatcher {
    /// Every command, even one with an unknown operation code.
    Any,
    /// Every operation of a class, such as `medium`.
    Class(Class),
    /// Every CDB length of the operation with this name.
    Family(&'static str),
    /// One operation with one CDB length.
    Exact(&'static Operation),
}

impl OpMatcher {
    /// Whether `op` is in the set. `None` stands for an unknown operation code.
    pub fn covers(&self, op: Option<&'static Operation>) -> bool {
        match (self, op) {
            (OpMatcher::Any, _) => true,
            (_, None) => false,
            (OpMatcher::Class(class), Some(op)) => op.class == *class,
            (OpMatcher::Family(family), Some(op)) => op.family() == *family,
            (OpMatcher::Exact(exact), Some(op)) => std::ptr::eq(*exact, op),
        }
    }
}

impl fmt::Display for OpMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OpMatcher::Any => "any",
            OpMatcher::Class(class) => class.name(),
            OpMatcher::Family(family) => family,
            OpMatcher::Exact(op) => op.name,
        })
    }
}

/// The error for a name that no operation has, with suggestions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseOpError {
    name: String,
    near: Vec<&'static str>,
}

impl ParseOpError {
    /// The name that was not recognized.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Up to three operation names with similar spelling, the most similar first.
    pub fn near(&self) -> &[&'static str] {
        &self.near
    }
}

impl fmt::Display for ParseOpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an operation that the array knows", self.name)?;
        match self.near.as_slice() {
            [] => Ok(()),
            near => write!(f, "; near it are {}", near.join(", ")),
        }
    }
}

impl std::error::Error for ParseOpError {}

impl FromStr for OpMatcher {
    type Err = ParseOpError;

    fn from_str(text: &str) -> Result<Self, ParseOpError> {
        let name = text.trim();
        if name.eq_ignore_ascii_case("any") {
            return Ok(OpMatcher::Any);
        }
        let class = Class::ALL.into_iter().find(|class| name.eq_ignore_ascii_case(class.name()));
        let exact = || OPERATIONS.iter().find(|op| name.eq_ignore_ascii_case(op.name));
        let family = || OPERATIONS.iter().find(|op| name.eq_ignore_ascii_case(op.family()));
        class
            .map(OpMatcher::Class)
            .or_else(|| exact().map(OpMatcher::Exact))
            .or_else(|| family().map(|op| OpMatcher::Family(op.family())))
            .ok_or_else(|| ParseOpError { name: text.into(), near: near_names(name) })
    }
}

/// The set of task management functions that a fault rule matches. Parsed from a name in
/// [`TaskManagement::NAMES`] or `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TmfMatcher {
    /// Every task management function.
    Any,
    /// The function with this name in [`TaskManagement::NAMES`].
    Function(&'static str),
}

impl TmfMatcher {
    /// Whether `function` is in the set.
    pub fn covers(self, function: TaskManagement) -> bool {
        match self {
            TmfMatcher::Any => true,
            TmfMatcher::Function(name) => function.name() == name,
        }
    }
}

impl fmt::Display for TmfMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TmfMatcher::Any => "any",
            TmfMatcher::Function(name) => name,
        })
    }
}

/// The error for a name that no task management function has. It holds the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no task management function: write \"any\" or one of {names}", names = TaskManagement::NAMES.join(", "))]
pub struct ParseTmfError(String);

impl FromStr for TmfMatcher {
    type Err = ParseTmfError;

    fn from_str(text: &str) -> Result<Self, ParseTmfError> {
        let name = text.trim();
        if name.eq_ignore_ascii_case("any") {
            return Ok(TmfMatcher::Any);
        }
        let known = TaskManagement::NAMES.into_iter().find(|it| name.eq_ignore_ascii_case(it));
        known.map(TmfMatcher::Function).ok_or_else(|| ParseTmfError(text.into()))
    }
}

/// At most three operation names that differ from `name` by a typing error.
fn near_names(name: &str) -> Vec<&'static str> {
    let upper = name.to_ascii_uppercase();
    let names = OPERATIONS.iter().flat_map(|op| [op.family(), op.name]);
    let mut scored: Vec<_> = names
        .map(|candidate| (strsim::jaro_winkler(&upper, candidate), candidate))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, candidate)| *candidate);
    scored.into_iter().map(|(_, candidate)| candidate).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str) -> Vec<&'static str> {
        let matcher: OpMatcher = text.parse().unwrap();
        OPERATIONS.iter().filter(|op| matcher.covers(Some(op))).map(|op| op.name).collect()
    }

    #[test]
    fn a_name_covers_one_size_or_all_of_them() {
        assert_eq!(covered("MODE SELECT"), ["MODE SELECT(6)", "MODE SELECT(10)"]);
        assert_eq!(covered("mode select(10)"), ["MODE SELECT(10)"]);
        assert_eq!(covered("READ"), ["READ(6)", "READ(10)", "READ(16)", "READ(12)"]);
        assert_eq!(covered("START STOP UNIT"), ["START STOP UNIT"]);
        assert_eq!(covered("PERSISTENT RESERVE OUT").len(), 8, "every service action");
        assert_eq!(covered("persistent reserve out: preempt"), ["PERSISTENT RESERVE OUT: PREEMPT"]);
    }

    #[test]
    fn groups_cover_their_classes() {
        assert_eq!(covered("any").len(), OPERATIONS.len());
        assert!("any".parse::<OpMatcher>().unwrap().covers(None));
        assert!(!"medium".parse::<OpMatcher>().unwrap().covers(None));
        assert!(covered("medium").contains(&"SYNCHRONIZE CACHE(10)"));
        assert!(!covered("medium").contains(&"INQUIRY"));
        assert!(covered("control").contains(&"START STOP UNIT"));
        assert!(!covered("control").contains(&"MODE SELECT(6)"));
    }

    #[test]
    fn task_management_functions_are_named_as_in_sam() {
        let reset: TmfMatcher = "logical unit reset".parse().unwrap();
        assert!(reset.covers(TaskManagement::LogicalUnitReset));
        assert!(!reset.covers(TaskManagement::AbortTask { tag: 1 }));
        assert_eq!(reset.to_string(), "LOGICAL UNIT RESET");
        assert!("any".parse::<TmfMatcher>().unwrap().covers(TaskManagement::ClearAca));
        let error = "TARGET RESET".parse::<TmfMatcher>().unwrap_err();
        assert!(error.to_string().contains("ABORT TASK SET"), "{error}");
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for text in ["any", "medium", "MODE SELECT", "MODE SELECT(10)"] {
            assert_eq!(text.parse::<OpMatcher>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_slip_is_answered_with_names_near_it() {
        let error = "MODE SELEKT".parse::<OpMatcher>().unwrap_err();
        assert_eq!(error.name(), "MODE SELEKT");
        assert_eq!(error.near()[0], "MODE SELECT");
        assert!(error.to_string().contains("MODE SELECT(10)"), "{error}");
        assert_eq!("xyzzy".parse::<OpMatcher>().unwrap_err().near(), [""; 0]);
    }
}
