//! Version ranges: `< 6.7`, `>= 5.11, < 5.18`.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::{Bound, Relation};
use crate::form::Kind;

/// A range of versions. Only as many numbers are compared as the range has: 6.1.192 is `< 6.7`, and
/// also `= 6.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange(Vec<Bound<Version>>);

/// The leading numbers of a version, most significant first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version(Vec<u32>);

impl Version {
    fn read(text: &str) -> Option<Version> {
        let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() <= 4).map(Version)
    }

    /// Parses the leading numbers of `uname -r` and the like; the rest is ignored:
    /// `6.1.0-49-amd64`, `6.12-rc3`.
    fn of_release(release: &str) -> Version {
        let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
        let numbers = release[..end].split('.').map_while(|part| part.parse().ok());
        Version(numbers.take(4).collect())
    }
}

impl VersionRange {
    /// Whether the range contains a version: a kernel's `uname -r`, or `0.9.4`.
    pub fn contains(&self, release: &str) -> bool {
        self.has(&Version::of_release(release))
    }
}

impl VersionRange {
    /// Whether any version is in the range. If one is, so is a limit or a neighbour of one.
    fn is_possible(&self) -> bool {
        self.0.iter().any(|bound| {
            let beside = |by: i64| {
                let mut version = bound.value.clone();
                let last = version.0.last_mut()?;
                *last = u32::try_from(i64::from(*last) + by).ok()?;
                Some(version)
            };
            let mut versions = [-1, 0, 1].into_iter().filter_map(beside);
            let borrowed = bound.value.0.iter().rposition(|number| *number > 0).map(|at| {
                let mut version = bound.value.clone();
                version.0[at] -= 1;
                version.0[at + 1..].fill(u32::MAX);
                version
            });
            versions.any(|version| self.has(&version))
                || borrowed.is_some_and(|version| self.has(&version))
        })
    }

    fn has(&self, version: &Version) -> bool {
        self.0.iter().all(|bound| {
            let mut given = version.clone();
            given.0.resize(bound.value.0.len(), 0);
            bound.relation.holds(&given, &bound.value)
        })
    }
}

/// Compares two kernel versions (`uname -r`) by their leading numbers.
pub fn release_order(a: &str, b: &str) -> Ordering {
    Version::of_release(a).cmp(&Version::of_release(b))
}

impl FromStr for VersionRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bound = |part: &str| {
            let (relation, version) = Relation::split(part);
            Some(Bound { relation, value: Version::read(version)? })
        };
        let bounds: Option<Vec<_>> = text.split(',').map(bound).collect();
        let range = bounds
            .map(VersionRange)
            .ok_or_else(|| format!("{text:?} names no versions: expected {}", Self::EXPECTED))?;
        match range.is_possible() {
            true => Ok(range),
            false => Err(format!("no version is {text}")),
        }
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bound) in self.0.iter().enumerate() {
            let version: Vec<_> = bound.value.0.iter().map(u32::to_string).collect();
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", bound.relation.sign(), version.join("."))?;
        }
        Ok(())
    }
}

impl Kind for VersionRange {
    const NAME: &'static str = "VersionRange";
    const EXPECTED: &'static str = "versions such as \"< 6.7\" or \">= 5.11, < 5.18\"";
    const PATTERN: &'static str = r"^(<=|>=|==|<|>|=)? ?[0-9.]+(, ?(<=|>=|==|<|>|=)? ?[0-9.]+)*$";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_compares_the_numbers_it_gives() {
        let range = |text: &str| text.parse::<VersionRange>().unwrap();
        assert!(range("< 6.7").contains("6.1.0-49-amd64"));
        assert!(range("< 6.7").contains("6.6.99"));
        assert!(!range("< 6.7").contains("6.7.0"));
        assert!(!range("< 6.7").contains("6.12.41+deb13-amd64"));
        assert!(range("= 6.1").contains("6.1.192"));
        assert!(range(">= 5.11, < 5.18").contains("5.17-rc3"));
        assert!(!range(">= 5.11, < 5.18").contains("5.10.0-35-amd64"));
        assert!(range("<= 6.1.5").contains("6.1"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["6.1.0", ">= 6.1, < 6.2", "<= 0", "< 1.0"] {
            assert!(text.parse::<VersionRange>().is_ok(), "{text}");
        }
        for text in [">= 6.2, < 6.1", "> 6.1, < 6.1.1", "< 0", "< 0.0", "= 6.1, = 6.2"] {
            assert!(text.parse::<VersionRange>().is_err(), "{text}");
        }
        for text in ["", "< ", "six", "< 6.x", "< 6.7,", "< 99999999999"] {
            assert!(text.parse::<VersionRange>().is_err(), "{text}");
        }
    }
}
