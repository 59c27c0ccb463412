//! Text to look for in a log line or a program's output.

use std::fmt;

use regex::Regex;

/// Text to look for.
#[derive(Debug, Clone)]
pub enum TextMatch {
    /// This text is in it.
    Contains(String),
    /// This regular expression matches somewhere in it.
    Matches(Regex),
}

impl TextMatch {
    /// Whether it is found in `text`.
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
