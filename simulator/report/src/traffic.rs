//! The commands of a story by path, condensed as they come: how many there were when, and how long they took.

use std::collections::BTreeMap;

use sansim_stage::event::{CommandEvent, Event, What};
use serde::Serialize;

/// The most bins of all paths. With more, two neighbours become one.
const MOST_BINS: usize = 2000;
/// The most paths that are told apart; the others are left out.
const MOST_PATHS: usize = 64;
/// The most failed commands of a path that are kept.
const MOST_FAILED: usize = 100;

/// A command: when it arrived, and how long it took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Point(pub(crate) u64, pub(crate) u64);

/// The commands that arrived within a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Bin {
    /// The one that took longest.
    pub(crate) slow: Point,
    /// The one that took shortest.
    pub(crate) quick: Point,
    /// Their number.
    pub(crate) n: u32,
}

/// The commands of a path.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// By number: time divided by the width.
    bins: BTreeMap<u64, Bin>,
    /// The first failed ones.
    pub(crate) failed: Vec<Point>,
}

impl Series {
    pub(crate) fn bins(&self) -> impl Iterator<Item = &Bin> {
        self.bins.values()
    }

    /// The points to show: of each bin the slowest, and the quickest if that is another.
    pub(crate) fn points(&self) -> impl Iterator<Item = Point> {
        self.bins.values().flat_map(|bin| {
            let quick = (bin.quick != bin.slow).then_some(bin.quick);
            std::iter::once(bin.slow).chain(quick)
        })
    }

    fn widen(&mut self) {
        let bins = std::mem::take(&mut self.bins);
        for (number, bin) in bins {
            let into = self.bins.entry(number / 2).or_insert(Bin { n: 0, ..bin });
            into.take(bin);
        }
    }
}

impl Bin {
    fn take(&mut self, other: Bin) {
        self.n = self.n.saturating_add(other.n);
        if other.slow.1 > self.slow.1 {
            self.slow = other.slow;
        }
        if other.quick.1 < self.quick.1 {
            self.quick = other.quick;
        }
    }
}

/// All commands of the story.
#[derive(Debug)]
pub(crate) struct Traffic {
    series: BTreeMap<String, Series>,
    /// The width of a bin, in microseconds.
    width: u64,
    bins: usize,
}

impl Default for Traffic {
    fn default() -> Self {
        Traffic { series: BTreeMap::new(), width: 1, bins: 0 }
    }
}

impl Traffic {
    pub(crate) fn push(&mut self, event: &Event) {
        if let What::Command(command) = &event.what
            && event.t >= 0.0
        {
            self.command(event.t, command);
        }
    }

    fn command(&mut self, t: f64, command: &CommandEvent) {
        let name = command.path();
        if self.series.len() >= MOST_PATHS && !self.series.contains_key(&name) {
            return;
        }
        let micros = |seconds: f64| (seconds.max(0.0) * 1e6).round() as u64;
        let point = Point(micros(t), micros(command.latency_s));
        let series = self.series.entry(name).or_default();
        if command.failed() && series.failed.len() < MOST_FAILED {
            series.failed.push(point);
        }
        let bin = Bin { slow: point, quick: point, n: 1 };
        let before = series.bins.len();
        series.bins.entry(point.0 / self.width).or_insert(Bin { n: 0, ..bin }).take(bin);
        self.bins += series.bins.len() - before;
        while self.bins > MOST_BINS {
            self.width *= 2;
            self.series.values_mut().for_each(Series::widen);
            self.bins = self.series.values().map(|it| it.bins.len()).sum();
        }
    }

    /// The paths with their commands.
    pub(crate) fn series(&self) -> impl Iterator<Item = (&str, &Series)> {
        self.series.iter().map(|(name, series)| (name.as_str(), series))
    }

    /// The width of a bin, in seconds. Nothing that is narrower can be told apart.
    pub(crate) fn width(&self) -> f64 {
        self.width as f64 / 1e6
    }

    /// The longest time that a command took, in seconds.
    pub(crate) fn longest(&self) -> f64 {
        let bins = self.series.values().flat_map(|series| series.bins.values());
        bins.map(|bin| bin.slow.1).max().unwrap_or_default() as f64 / 1e6
    }

    /// The commands per second of a path in `columns` equal parts of a time from 0 to `end` seconds.
    pub(crate) fn rates(&self, series: &Series, end: f64, columns: usize) -> Vec<f64> {
        let mut rates = vec![0.0; columns];
        let each = end / columns as f64;
        for bin in series.bins() {
            let at = ((bin.slow.0 as f64 / 1e6 / each) as usize).min(columns - 1);
            rates[at] += f64::from(bin.n) / each;
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{command, told};

    #[test]
    fn few_commands_are_kept_one_by_one_and_many_with_their_extremes() {
        let command_on = |hba, t, latency_s| {
            told(t, CommandEvent { hba, latency_s, ..command("READ(10)", "A0", None) })
        };
        let mut traffic = Traffic::default();
        for number in 0..5_u32 {
            traffic.push(&command_on(0, f64::from(number) * 1e-3, 1e-4));
        }
        let (_, series) = traffic.series().next().unwrap();
        assert_eq!(series.points().count(), 5);
        for number in 0..100_000_u32 {
            let latency = if number == 7777 { 2.5 } else { 1e-4 };
            traffic.push(&command_on((number % 4) as u8, f64::from(number) * 1e-3, latency));
        }
        assert!(traffic.bins <= MOST_BINS && traffic.bins > MOST_BINS / 4, "{}", traffic.bins);
        let all: u32 = traffic.series().flat_map(|(_, it)| it.bins()).map(|bin| bin.n).sum();
        assert_eq!(all, 100_005);
        assert_eq!(traffic.longest(), 2.5);
        assert!(traffic.series().flat_map(|(_, it)| it.points()).any(|point| point.1 == 2_500_000));
        let (_, series) = traffic.series().next().unwrap();
        let rates = traffic.rates(series, 100.0, 10);
        // A bin at the edge of a part counts for the part where its slowest command is.
        assert!(rates.iter().all(|rate| (rate - 250.0).abs() < 8.0), "{rates:?}");
    }
}
