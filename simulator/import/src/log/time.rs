//! The times in front of log lines, in all the usual styles.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::{Captures, Regex};

use crate::pattern::pattern;

/// `2026-11-30T01:36:13.123456+00:00`, `2026-11-30 01:36:13`, `Mon 2026-11-30 01:36:13 UTC`: rsyslog, journalctl.
static ISO: LazyLock<Regex> = pattern!(
    r"^(?:[A-Z][a-z]{2} )?(?P<y>\d{4})-(?P<mo>\d\d)-(?P<d>\d\d)[T ](?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,5}\b)?\s+(?P<rest>.*)$"
);
/// `Nov 30 01:36:13`, `Nov 30 01:36:13.123456`: syslog, journalctl.
static BSD: LazyLock<Regex> = pattern!(
    r"^(?:<\d+>)?(?P<mon>[A-Z][a-z]{2})\s+(?P<d>\d{1,2})\s+(?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))?(?: (?P<y>\d{4}))?\s+(?P<rest>.*)$"
);
/// `01:36:13 host kernel: …`: a log of which somebody has cut the dates off.
static CLOCK: LazyLock<Regex> = pattern!(
    r"^(?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?\s+(?P<rest>\S+\s+(?:kernel|multipathd)\b.*)$"
);
/// `[Mon Nov 30 01:36:13 2026]`: dmesg -T.
static DMESG: LazyLock<Regex> = pattern!(
    r"^\[[A-Z][a-z]{2} (?P<mon>[A-Z][a-z]{2})\s+(?P<d>\d{1,2}) (?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))? (?P<y>\d{4})\]\s*(?P<rest>.*)$"
);
/// `[   15.202453]`: dmesg, journalctl -o short-monotonic, a serial console.
static BOOT: LazyLock<Regex> =
    pattern!(r"^(?:<\d+>)?\[\s*(?P<boot>\d{1,9}\.\d{1,9})\]\s*(?P<rest>.*)$");
/// `1764466573.123456`: journalctl -o short-unix; `15.202453 |`: multipathd on a terminal.
static PLAIN: LazyLock<Regex> = pattern!(r"^(?P<boot>\d{1,10}\.\d{1,9})(?: \|)?\s+(?P<rest>.*)$");
/// `host kernel: [   15.202453] text`, `multipathd[312]: text`.
static SOURCE: LazyLock<Regex> = pattern!(
    r"^(?:\S+\s+)?(?P<who>kernel|multipathd)(?:\[\d+\])?:\s*(?:\[\s*(?P<boot>\d{1,9}\.\d{1,9})\]\s*)?(?P<text>.*)$"
);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The year of lines that have none: a leap year, so that each day exists.
const NO_YEAR: i16 = 2024;
const HALF_A_YEAR: f64 = 183.0 * 86400.0;
const DAY: f64 = 86400.0;

fn dated(line: &str) -> Option<Captures<'_>> {
    [&*ISO, &*DMESG, &*BSD, &*CLOCK].into_iter().find_map(|it| it.captures(line))
}

/// Whether a line begins with a time.
pub(super) fn has_time(line: &str) -> bool {
    dated(line).is_some() || BOOT.is_match(line) || PLAIN.is_match(line)
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Kernel,
    Multipathd,
}

/// A line of the kernel or of multipathd.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line<'t> {
    /// Seconds since some moment that is the same for all lines of a log.
    pub(crate) t: f64,
    pub(crate) who: Who,
    /// What is behind time, host and name.
    pub(crate) text: &'t str,
}

/// Reads the times of the lines of one log.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// What was added because a year without a number, or a day without a date, has ended.
    passed: f64,
    last: f64,
    /// Wall time minus the kernel's own, of lines that have both: the kernel's is finer.
    offset: Option<f64>,
}

impl Times {
    /// The line with its time; `None` if it has none, or is somebody else's.
    pub(crate) fn line<'t>(&mut self, line: &'t str) -> Option<Line<'t>> {
        let dated = dated(line);
        let (t, rest, has_host) = match dated {
            Some(found) => (self.wall(&found)?, found.name("rest")?.as_str(), true),
            None => {
                let found = BOOT.captures(line).or_else(|| PLAIN.captures(line))?;
                (found["boot"].parse().ok()?, found.name("rest")?.as_str(), false)
            }
        };
        let Some(source) = SOURCE.captures(rest) else {
            // dmesg names nobody. Where there is a host, the line is another program's.
            let is_dmesg = !has_host || line.starts_with('[');
            return is_dmesg.then_some(Line { t, who: Who::Kernel, text: rest });
        };
        let who = if &source["who"] == "kernel" { Who::Kernel } else { Who::Multipathd };
        let boot = source.name("boot").and_then(|it| it.as_str().parse::<f64>().ok());
        let t = match boot {
            Some(boot) => boot + *self.offset.get_or_insert(t - boot),
            None => t,
        };
        Some(Line { t, who, text: source.name("text")?.as_str() })
    }

    fn wall(&mut self, found: &Captures<'_>) -> Option<f64> {
        let has_date = found.name("mon").or(found.name("mo")).is_some();
        let number = |name| found.name(name).and_then(|it| it.as_str().parse::<i16>().ok());
        let small = |name| number(name).and_then(|it| i8::try_from(it).ok());
        let month = match found.name("mon") {
            Some(name) => MONTHS.iter().position(|month| *month == name.as_str())? as i8 + 1,
            None if has_date => small("mo")?,
            None => 1,
        };
        let day = if has_date { small("d")? } else { 1 };
        let year = number("y");
        let time = DateTime::new(
            year.unwrap_or(NO_YEAR),
            month,
            day,
            small("h")?,
            small("mi")?,
            small("s")?.min(59),
            0,
        );
        let zoned = time.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        let fraction = found.name("f").and_then(|it| format!("0.{}", it.as_str()).parse().ok());
        let t = zoned.timestamp().as_second() as f64 + fraction.unwrap_or(0.0) + self.passed;
        let (period, half) = match has_date {
            true => (366.0 * DAY, HALF_A_YEAR),
            false => (DAY, DAY / 2.0),
        };
        if year.is_none() && t < self.last - half {
            self.passed += period;
            return self.wall(found);
        }
        self.last = t;
        Some(t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_gives_the_same_line() {
        let styles = [
            "[   15.250000] sd 0:0:0:0: x",
            "<6>[   15.250000] sd 0:0:0:0: x",
            "[   15.250000] host kernel: sd 0:0:0:0: x",
            "[Mon Nov 30 01:36:13 2026] sd 0:0:0:0: x",
            "Nov 30 01:36:13 host kernel: sd 0:0:0:0: x",
            "Nov 30 01:36:13.250000 host kernel: sd 0:0:0:0: x",
            "Nov 30 01:36:13 host kernel: [   15.250000] sd 0:0:0:0: x",
            "2026-11-30T01:36:13.250000+00:00 host kernel: sd 0:0:0:0: x",
            "2026-11-30T01:36:13+0000 host kernel: sd 0:0:0:0: x",
            "2026-11-30 01:36:13,250 host kernel: sd 0:0:0:0: x",
            "Mon 2026-11-30 01:36:13 UTC host kernel: sd 0:0:0:0: x",
            "1764466573.250000 host kernel: sd 0:0:0:0: x",
        ];
        for style in styles {
            let mut times = Times::default();
            let line = times.line(style).unwrap_or_else(|| panic!("{style}"));
            assert_eq!((line.who, line.text), (Who::Kernel, "sd 0:0:0:0: x"), "{style}");
            let later =
                style.replace(":13", ":14").replace("15.25", "16.25").replace("573.25", "574.25");
            let later = times.line(&later).unwrap();
            assert!((later.t - line.t - 1.0).abs() < 1e-6, "{style}");
        }
        let daemon = "Nov 30 01:36:13 host multipathd[312]: sdc: path is down";
        assert_eq!(Times::default().line(daemon).unwrap().who, Who::Multipathd);
        assert_eq!(Times::default().line("Nov 30 01:36:13 host sshd[1]: x"), None);
        assert_eq!(Times::default().line("-- Boot 1234 --"), None);
    }

    #[test]
    fn a_year_without_a_number_ends() {
        let mut times = Times::default();
        let mut t = |line| times.line(line).unwrap().t;
        let before = t("Dec 31 23:59:59 host kernel: a");
        assert_eq!(t("Jan  1 00:00:01 host kernel: b") - before, 2.0);
    }

    #[test]
    fn a_day_without_a_date_ends() {
        let mut times = Times::default();
        let mut t = |line| times.line(line).unwrap().t;
        let before = t("23:59:59 host kernel: a");
        assert_eq!(t("00:00:01 host multipathd: b") - before, 2.0);
        assert_eq!(Times::default().line("23:59:59 host sshd: a"), None);
    }
}
