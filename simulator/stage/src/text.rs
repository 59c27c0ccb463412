//! Text patterns for log lines and program output.

use std::fmt;

use regex::Regex;

/// A text pattern.
#[derive(Debug, Clone)]
pub enum TextMatch {
    /// Matches text that contains this string.
    Contains(String),
    /// Matches text in which this regular expression matches anywhere.
    Matches(Regex),
}

impl TextMatch {
    /// Whether the pattern matches `text`.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            TextMatch::Contains(part) => text.contains(part.as_str()),
            TextMatch::Matches(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (TextMatch::Contains(a), TextMatch::Contains(b)) => a == b,
            (TextMatch::Matches(a), TextMatch::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextMatch::Contains(part) => write!(f, "{part:?}"),
            TextMatch::Matches(regex) => write!(f, "/{regex}/"),
        }
    }
}
