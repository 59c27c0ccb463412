//! The longest pause of the I/O, and where its seconds went.
//!
//! A pause is the time between two completions of the workload on a LUN. Each moment of it has one cause: what was
//! going on then that kept I/O from completing. Where several things were, the order of [`Cause`] decides: a command
//! that is with the array explains more than the queue that waits for it. So the causes add up to the pause.

mod causes;

use std::collections::{BTreeMap, BTreeSet};

use sansim_array::Lun;
use sansim_stage::{
    Setup,
    event::{Event, IoKind, What},
};
use serde::Serialize;

/// What keeps I/O from completing, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A command was not answered until the HBA gave it up.
    HbaPatience,
    /// The array had a command and took its time.
    Array,
    /// A command that moves the LUN was with the array.
    Activation,
    /// dm-multipath or its handler waited before it sent such a command again.
    Retry,
    /// The device handler asked the array again and again for its state.
    HandlerPolling,
    /// All paths had failed, and none was there again.
    NoPath,
    /// A path was there again, and multipathd had not found it yet.
    Checker,
    /// Commands failed and were sent again.
    MidLayer,
    /// Nothing of these: the guest's own work, and the workload's rate.
    Rest,
}

impl Cause {
    /// All causes, the strongest first.
    pub const ALL: [Cause; 9] = [
        Cause::HbaPatience,
        Cause::Array,
        Cause::Activation,
        Cause::Retry,
        Cause::HandlerPolling,
        Cause::NoPath,
        Cause::Checker,
        Cause::MidLayer,
        Cause::Rest,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Cause::HbaPatience => "the HBA's patience",
            Cause::Array => "the array's silence",
            Cause::Activation => "moving the LUN",
            Cause::Retry => "pg_init retries and delays",
            Cause::HandlerPolling => "the handler's polling",
            Cause::NoPath => "no path",
            Cause::Checker => "multipathd's checker",
            Cause::MidLayer => "retries of failed commands",
            Cause::Rest => "the guest's own work",
        }
    }
}

/// A part of a pause with one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Beginning, in seconds of scenario time.
    pub from: f64,
    /// End, in seconds of scenario time.
    pub to: f64,
    /// What kept I/O from completing.
    pub cause: Cause,
    /// The command or event that shows it; empty for [`Cause::Rest`].
    pub evidence: String,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pause {
    /// The LUN whose I/O paused, if there is I/O on several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lun: Option<u16>,
    /// The last completion before it, in seconds of scenario time.
    pub from: f64,
    /// The first completion after it, or the end of the story.
    pub to: f64,
    /// Whether it lasted to the end of the story.
    pub unfinished: bool,
    /// Its seconds by cause. They add up to its length.
    pub by_cause: BTreeMap<Cause, f64>,
    /// Its parts in order, without gaps.
    pub parts: Vec<Part>,
}

impl Pause {
    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.to - self.from
    }

    /// The pause in a sentence: how long, when, and where the seconds went.
    pub fn sentence(&self) -> String {
        let mut causes: Vec<(Cause, f64)> =
            self.by_cause.iter().map(|(cause, s)| (*cause, *s)).collect();
        causes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let told: Vec<String> = causes
            .iter()
            .filter(|(_, seconds)| *seconds >= 0.0005)
            .map(|(cause, seconds)| format!("{seconds:.3} s {}", cause.name()))
            .collect();
        let end = if self.unfinished { "the end of the story" } else { "" };
        let to = if self.unfinished { end.to_owned() } else { format!("{:.3} s", self.to) };
        let of = self.lun.map(|lun| format!(" of LUN {lun}")).unwrap_or_default();
        format!(
            "The longest pause of the I/O{of} took {:.3} s, from {:.3} s to {to}: {}.",
            self.seconds(),
            self.from,
            told.join(", ")
        )
    }
}

/// The most completions that are kept; those of a story of hours at the usual rate.
const MOST_COMPLETIONS: usize = 4_000_000;
/// The most other events that are kept.
const MOST_EVENTS: usize = 100_000;
/// A command of the workload that takes longer than this is looked at, in seconds.
const SLOW: f64 = 0.05;
/// A gap longer than this is a pause only if the workload says that it has stalled: otherwise it was not running.
const STALL: f64 = 0.5;

/// A time in which I/O was in flight and none completed.
#[derive(Debug)]
struct Stall {
    /// The LUN of the workload; `None` in runs of older versions.
    lun: Option<Lun>,
    from: f64,
    /// Infinite until it ends.
    to: f64,
}

/// The LUN of a map that an event names.
fn lun_of(map: Option<&String>) -> Option<Lun> {
    Setup::map_lun(map?)
}

/// Follows the events of a run for its longest pause.
#[derive(Debug, Default)]
pub struct Tracker {
    /// By LUN: while the I/O of one pauses, that of another may go on.
    completions: BTreeMap<u16, Vec<f64>>,
    kept: usize,
    events: Vec<Event>,
    stalls: Vec<Stall>,
    /// All paths through which commands have come: `hba0:A0`.
    paths: BTreeSet<String>,
    latest: f64,
}

impl Tracker {
    /// Takes an event.
    pub fn event(&mut self, event: &Event) {
        if event.t < 0.0 {
            return;
        }
        self.latest = self.latest.max(event.t);
        if let What::Command(command) = &event.what {
            let path = command.path();
            self.paths.insert(path);
        }
        match &event.what {
            What::Command(command) if command.is_io() && !command.failed() => {
                if self.kept < MOST_COMPLETIONS {
                    let of_lun = self.completions.entry(command.lun).or_default();
                    of_lun.push(event.t + command.latency_s);
                    self.kept += 1;
                }
                if command.latency_s < SLOW {
                    return;
                }
            }
            What::Io { what: IoKind::StallBegin, map, .. } => {
                let lun = lun_of(map.as_ref());
                self.stalls.push(Stall { lun, from: event.t, to: f64::INFINITY });
            }
            What::Io { what: IoKind::StallEnd, map, .. } => {
                let lun = lun_of(map.as_ref());
                if let Some(stall) = self.stalls.iter_mut().rfind(|stall| stall.lun == lun) {
                    stall.to = event.t;
                }
            }
            What::Command(_) | What::State { .. } | What::Path { .. } => {}
            _ => return,
        }
        if self.events.len() < MOST_EVENTS {
            self.events.push(event.clone());
        }
    }

    /// The longest pause of the run; `None` if there was no I/O, or it never paused.
    pub fn longest(&self) -> Option<Pause> {
        let gaps = self.completions.iter().filter_map(|(lun, completions)| {
            let (from, to, unfinished) = self.longest_of(*lun, completions)?;
            Some((*lun, from, to, unfinished))
        });
        let (lun, from, to, unfinished) =
            gaps.max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)))?;
        let concerns = |event: &&Event| match &event.what {
            What::Command(command) => command.lun == lun,
            _ => true,
        };
        let events: Vec<Event> = self.events.iter().filter(concerns).cloned().collect();
        let parts = causes::parts(&events, &self.paths, from, to);
        let mut by_cause: BTreeMap<Cause, f64> = BTreeMap::new();
        for part in &parts {
            *by_cause.entry(part.cause).or_default() += part.to - part.from;
        }
        let lun = (self.completions.len() > 1).then_some(lun);
        Some(Pause { lun, from, to, unfinished, by_cause, parts })
    }

    /// The longest pause of a LUN's I/O, and whether it lasted to the end of the story.
    fn longest_of(&self, lun: u16, completions: &[f64]) -> Option<(f64, f64, bool)> {
        let mut completions = completions.to_vec();
        completions.sort_by(f64::total_cmp);
        let concerns = |stall: &&Stall| stall.lun.is_none_or(|it| it == Lun(lun));
        let stalls = || self.stalls.iter().filter(concerns);
        // A stall that never ended lasts to the story's end.
        let open = stalls().any(|stall| stall.to.is_infinite());
        let stalled = |from: f64, to: f64| {
            to - from < STALL || stalls().any(|stall| stall.from < to && stall.to > from)
        };
        let gaps = completions.windows(2).map(|pair| (pair[0], pair[1], false));
        let last = completions.last().filter(|_| open).map(|last| (*last, self.latest, true));
        gaps.chain(last)
            .filter(|(from, to, _)| to > from && stalled(*from, *to))
            .max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
    }
}

/// The longest pause of these events.
pub fn longest(events: &[Event]) -> Option<Pause> {
    let mut tracker = Tracker::default();
    events.iter().for_each(|event| tracker.event(event));
    tracker.longest()
}

#[cfg(test)]
mod tests;
