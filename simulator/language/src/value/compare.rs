//! Comparisons: `3`, `">= 3"`, `"2..4"`, `"< 10s"`, `">= 2, <= 4"`.

use std::{fmt, str::FromStr, time::Duration};

use toml::de::DeValue;

use super::TimeSpan;
use crate::{
    Diagnostic,
    form::{Form, Given, Kind, Plain, Problems, Value},
};

/// A quantity that can be compared: a count or a duration.
pub trait Quantity: Copy + PartialOrd + fmt::Debug {
    /// A phrase that can follow "expected".
    const EXPECTED: &'static str;
    /// The name of the type in the JSON Schema.
    const NAME: &'static str;
    /// Whether the quantity can be written as a bare integer.
    const BARE: bool;
    /// The smallest quantity.
    const LEAST: Self;
    /// The largest quantity.
    const MOST: Self;

    /// Parses a quantity.
    fn read(text: &str) -> Result<Self, String>;
    /// Prints the quantity in the notation that [`Self::read`] parses.
    fn print(self) -> String;
    /// The quantity as a bare integer, if it can be written as one.
    fn bare(self) -> Option<u64>;
    /// The next smaller quantity, the quantity itself and the next larger one, as far as they
    /// exist.
    fn neighbours(self) -> [Option<Self>; 3];
}

impl Quantity for u64 {
    const EXPECTED: &'static str =
        "a number, a range such as \"2..4\" (both included) or a comparison such as \">= 3\"";
    const NAME: &'static str = "Count";
    const BARE: bool = true;
    const LEAST: Self = u64::MIN;
    const MOST: Self = u64::MAX;

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("{text:?} is not a whole number"))
    }

    fn print(self) -> String {
        self.to_string()
    }

    fn bare(self) -> Option<u64> {
        Some(self)
    }

    fn neighbours(self) -> [Option<Self>; 3] {
        [self.checked_sub(1), Some(self), self.checked_add(1)]
    }
}

impl Quantity for Duration {
    const EXPECTED: &'static str =
        "a duration or a comparison with one in quotes, such as \"< 10s\" or \">= 2s, < 4s\"";
    const NAME: &'static str = "DurationComparison";
    const BARE: bool = false;
    const LEAST: Self = Duration::ZERO;
    const MOST: Self = Duration::MAX;

    fn read(text: &str) -> Result<Self, String> {
        text.parse::<TimeSpan>().map(|span| span.0)
    }

    fn print(self) -> String {
        TimeSpan(self).to_string()
    }

    fn bare(self) -> Option<u64> {
        None
    }

    fn neighbours(self) -> [Option<Self>; 3] {
        let least = Duration::from_nanos(1);
        [self.checked_sub(least), Some(self), self.checked_add(least)]
    }
}

/// The relation of a quantity to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `=`: equal to the limit.
    Exactly,
    /// `<`: below the limit.
    Less,
    /// `<=`: the limit or below.
    AtMost,
    /// `>`: above the limit.
    More,
    /// `>=`: the limit or above.
    AtLeast,
}

/// The notations of the relations. A notation that is the prefix of another one comes after it.
const SIGNS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Exactly),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Exactly),
];

impl Relation {
    /// The sign of the relation.
    pub fn sign(self) -> &'static str {
        match self {
            Relation::Exactly => "=",
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::More => ">",
            Relation::AtLeast => ">=",
        }
    }

    /// Splits the sign from the front of a text; no sign means [`Relation::Exactly`].
    pub(super) fn split(text: &str) -> (Relation, &str) {
        let text = text.trim();
        SIGNS
            .iter()
            .find_map(|(sign, relation)| Some((*relation, text.strip_prefix(sign)?.trim_start())))
            .unwrap_or((Relation::Exactly, text))
    }

    /// Whether `left` is in this relation to `right`.
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Relation::Exactly => left == right,
            Relation::Less => left < right,
            Relation::AtMost => left <= right,
            Relation::More => left > right,
            Relation::AtLeast => left >= right,
        }
    }
}

/// One limit of a [`Comparison`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound<T> {
    /// The relation of the value to the limit.
    pub relation: Relation,
    /// The limit.
    pub value: T,
}

/// One or more limits, all of which must be satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<T>(Vec<Bound<T>>);

impl<T: Quantity> Comparison<T> {
    /// Exactly this value.
    pub fn exactly(value: T) -> Self {
        Comparison(vec![Bound { relation: Relation::Exactly, value }])
    }

    /// This value or more.
    pub fn at_least(value: T) -> Self {
        Comparison(vec![Bound { relation: Relation::AtLeast, value }])
    }

    /// This value or less.
    pub fn at_most(value: T) -> Self {
        Comparison(vec![Bound { relation: Relation::AtMost, value }])
    }

    /// The conjunction of two comparisons.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether `value` satisfies every limit.
    pub fn holds(&self, value: T) -> bool {
        self.0.iter().all(|bound| bound.relation.holds(&value, &bound.value))
    }

    /// Whether any value satisfies every limit. If one does, so does a limit or a neighbour of one.
    pub fn is_possible(&self) -> bool {
        let mut beside = self.0.iter().flat_map(|bound| bound.value.neighbours()).flatten();
        beside.any(|value| self.holds(value))
    }

    /// Whether every value up to `most` satisfies every limit. Limits leave a range without holes, so
    /// it is enough to look at its ends.
    pub fn is_certain(&self, most: T) -> bool {
        self.holds(T::LEAST) && self.holds(most)
    }

    /// The limits in the order in which they were written.
    pub fn bounds(&self) -> &[Bound<T>] {
        &self.0
    }
}

impl<T: Quantity> fmt::Display for Comparison<T> {
    /// Prints the limits in words: `exactly 3`, `at least 2 and less than 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bound) in self.0.iter().enumerate() {
            let words = match bound.relation {
                Relation::Exactly => "exactly",
                Relation::Less => "less than",
                Relation::AtMost => "at most",
                Relation::More => "more than",
                Relation::AtLeast => "at least",
            };
            write!(f, "{}{words} {}", if i > 0 { " and " } else { "" }, bound.value.print())?;
        }
        Ok(())
    }
}

impl<T: Quantity> FromStr for Comparison<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bounds = text.split(',').map(bounds).collect::<Result<Vec<_>, _>>();
        let comparison = bounds
            .map(|bounds| Comparison(bounds.concat()))
            .map_err(|why| format!("{why}; expected {}", T::EXPECTED))?;
        match comparison.is_possible() {
            true if comparison.is_certain(T::MOST) => {
                Err(format!("everything is {comparison}: this asks for nothing"))
            }
            true => Ok(comparison),
            false => Err(format!("nothing is {comparison}")),
        }
    }
}

/// The limits in one part of a comparison: `< 4`, `3`, or `2..4`, which includes both ends.
fn bounds<T: Quantity>(part: &str) -> Result<Vec<Bound<T>>, String> {
    if let Some((first, last)) = part.split_once("..") {
        let first = Bound { relation: Relation::AtLeast, value: T::read(first.trim())? };
        let last = Bound { relation: Relation::AtMost, value: T::read(last.trim())? };
        if first.value > last.value {
            return Err(format!("{:?} is an empty range: both ends are included", part.trim()));
        }
        return Ok(vec![first, last]);
    }
    let (relation, value) = Relation::split(part);
    T::read(value).map(|value| vec![Bound { relation, value }])
}

impl<T: Quantity> Value for Comparison<T> {
    fn read(given: &Given<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let read = match given.get_ref() {
            DeValue::Integer(number) if T::BARE || number.as_str().starts_with('-') => {
                T::read(number.as_str()).map(Comparison::exactly)
            }
            DeValue::Integer(number) => {
                Err(format!("write a unit: \"{number}s\" or \"{number}ms\""))
            }
            DeValue::String(text) => text.parse(),
            _ => {
                problems.wrong_type(given, T::EXPECTED);
                return None;
            }
        };
        read.map_err(|why| problems.report(&given.span(), Diagnostic::error(why))).ok()
    }

    fn write(&self) -> Plain {
        if let [Bound { relation: Relation::Exactly, value }] = self.0[..]
            && let Some(number) = value.bare()
        {
            return Plain::Whole(number);
        }
        let text = |bound: &Bound<T>| format!("{} {}", bound.relation.sign(), bound.value.print());
        Plain::Text(self.0.iter().map(text).collect::<Vec<_>>().join(", "))
    }

    fn form() -> Form {
        let value = if T::BARE { "[0-9]+" } else { TimeSpan::PATTERN.trim_matches(['^', '$']) };
        let bound = format!("({value} ?\\.\\. ?{value}|(<=|>=|==|<|>|=)? ?{value})");
        let pattern = format!("^{bound}(, ?{bound})*$");
        let text = Form::Pattern { name: T::NAME, expected: T::EXPECTED, pattern };
        match T::BARE {
            true => Form::Either(vec![Form::Whole, text]),
            false => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_of_a_comparison_counts() {
        let some: Comparison<u64> = ">= 2, < 4".parse().unwrap();
        assert_eq!([1, 2, 3, 4].map(|n| some.holds(n)), [false, true, true, false]);
        assert_eq!(some.to_string(), "at least 2 and less than 4");
        let range: Comparison<u64> = "2..3".parse().unwrap();
        assert_eq!([1, 2, 3, 4].map(|n| range.holds(n)), [false, true, true, false]);
        let exact: Comparison<u64> = "3".parse().unwrap();
        assert_eq!([2, 3, 4].map(|n| exact.holds(n)), [false, true, false]);
        let short: Comparison<Duration> = "<10s".parse().unwrap();
        assert!(short.holds(Duration::from_millis(9999)) && !short.holds(Duration::from_secs(10)));
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for text in [
            "",
            "< ",
            "~3",
            "3 4",
            "-1",
            ">= 2,",
            "< 10s",
            "3..2",
            "2..",
            "..3",
            "1..2..3",
            "< 0",
            ">= 3, < 3",
            "> 2, < 3",
            "2, 3",
            "1..2, 4..5",
            ">= 0",
            "0..18446744073709551615",
        ] {
            assert!(text.parse::<Comparison<u64>>().is_err(), "{text}");
        }
        assert!("> 2s, < 2001ms".parse::<Comparison<Duration>>().is_ok());
        assert!(">= 0s".parse::<Comparison<Duration>>().is_err());
        let few: Comparison<u64> = "<= 4".parse().unwrap();
        assert_eq!([3, 4, 5].map(|most| few.is_certain(most)), [true, true, false]);
        let why = "< 10".parse::<Comparison<Duration>>().unwrap_err();
        assert!(why.contains("no unit"), "{why}");
    }
}
