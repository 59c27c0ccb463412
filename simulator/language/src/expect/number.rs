//! Counts and text patterns that several conditions share.

use std::ops::Range;

use regex::Regex;
use sansim_stage::TextMatch;

use crate::{
    check::Checker,
    value::{At, Comparison, Quantity},
};

/// A count with its noun: `1 error`, `2 errors`.
pub(super) fn some(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whether `value` satisfies `limit`; true if there is no limit.
pub(super) fn keeps<T: Quantity>(limit: &Option<Comparison<T>>, value: T) -> bool {
    limit.as_ref().is_none_or(|limit| limit.holds(value))
}

/// The keys `count`, `at_least`, `at_most` and `exactly` of a condition.
pub(super) struct Many<'g> {
    pub(super) count: &'g Option<Comparison<u64>>,
    pub(super) at_least: Option<u64>,
    pub(super) at_most: Option<u64>,
    pub(super) exactly: Option<u64>,
}

impl Many<'_> {
    /// The conjunction of all given limits; at least one if none is given.
    pub(super) fn check(&self, span: &Range<usize>, checker: &mut Checker<'_>) -> Comparison<u64> {
        let limits = [
            self.count.clone(),
            self.exactly.map(Comparison::exactly),
            self.at_least.map(Comparison::at_least),
            self.at_most.map(Comparison::at_most),
        ];
        let all = limits.into_iter().flatten().reduce(Comparison::and);
        let all = all.unwrap_or_else(|| Comparison::at_least(1));
        if !all.is_possible() {
            checker.refuse(span, format!("no number is {all}"), "leave one of the limits away");
        }
        if all.is_certain(u64::MAX) {
            let help = "leave it away for at least one, or write `exactly = 0` for none";
            checker.refuse(span, format!("every number is {all}"), help);
        }
        all
    }
}

/// The text pattern from `contains` or `matches`; `None` after a mistake.
pub(super) fn text(
    contains: Option<&At<String>>,
    matches: Option<&At<String>>,
    span: &Range<usize>,
    checker: &mut Checker<'_>,
) -> Option<TextMatch> {
    checker.exclusive(&[("contains", contains.is_some()), ("matches", matches.is_some())], span);
    if let Some(part) = contains {
        checker.not_empty(part);
    }
    match (contains, matches) {
        (Some(part), _) => Some(TextMatch::Contains(part.value.clone())),
        (None, Some(pattern)) => checker.regex(pattern),
        (None, None) => None,
    }
}

/// The keys `contains` and `matches` for a text pattern; at most one is present.
pub(super) fn of_text(text: Option<&TextMatch>) -> (Option<At<String>>, Option<At<String>>) {
    let regex = |regex: &Regex| At::nowhere(regex.as_str().to_owned());
    match text {
        Some(TextMatch::Contains(part)) => (Some(At::nowhere(part.clone())), None),
        Some(TextMatch::Matches(pattern)) => (None, Some(regex(pattern))),
        None => (None, None),
    }
}
