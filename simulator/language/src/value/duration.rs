//! Durations: `30s`, `250ms`, `2m`.

use std::{fmt, str::FromStr, time::Duration};

use super::split_number;
use crate::form::Kind;

/// A duration in a scenario: a number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

/// The units with their lengths in nanoseconds, longest first.
const UNITS: [(&str, u64); 5] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
];

/// The longest duration. No story lasts this long, and sums of durations cannot overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl FromStr for TimeSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_number(text);
        let accepted =
            "write a number and one of us, ms, s, m, h, for instance \"250ms\" or \"30s\"";
        if unit.is_empty() && number.parse::<f64>().is_ok() {
            return Err(format!("{text:?} has no unit: write \"{number}s\" or \"{number}ms\""));
        }
        let nanos = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos);
        let (Ok(number), Some(nanos)) = (number.parse::<f64>(), nanos) else {
            return Err(format!("{text:?} is not a duration: {accepted}"));
        };
        let nanos = (number * nanos as f64).round();
        if !(0.0..=LONGEST.as_nanos() as f64).contains(&nanos) {
            return Err(format!("{text:?} is out of range: at most 720h"));
        }
        Ok(TimeSpan(Duration::from_nanos(nanos as u64)))
    }
}

impl fmt::Display for TimeSpan {
    /// Uses the longest unit that needs no fraction, but seconds for durations under two minutes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX);
        if nanos == 0 {
            return f.write_str("0s");
        }
        let fits = |length: u64| {
            nanos.is_multiple_of(length) && (length < UNITS[1].1 || nanos >= 2 * length)
        };
        match UNITS.iter().find(|(_, length)| fits(*length)) {
            Some((unit, length)) => write!(f, "{}{unit}", nanos / length),
            None => write!(f, "{}us", nanos as f64 / 1000.0),
        }
    }
}

impl Kind for TimeSpan {
    const NAME: &'static str = "Duration";
    const EXPECTED: &'static str =
        "a duration with its unit in quotes, such as \"250ms\" or \"30s\"";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)? ?(us|ms|s|m|h)$";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_what_they_print() {
        for text in ["0s", "1us", "250ms", "1500ms", "1s", "90s", "2m", "150s", "2h", "30m"] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), text);
        }
        assert_eq!("1.5s".parse::<TimeSpan>().unwrap().to_string(), "1500ms");
        assert_eq!("1m".parse::<TimeSpan>().unwrap().to_string(), "60s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "s", "5", "5 parsecs", "-1s", "1e300s", "nans", "infs", "1s2", "٣s"] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
        assert!("5".parse::<TimeSpan>().unwrap_err().contains("write \"5s\""));
    }
}
