//! `trace.json`: a run for <https://ui.perfetto.dev>, as Chrome trace events.
//!
//! Tracks for controllers, owners of LUNs, paths with their commands, pg_init, steps, multipathd and the workload;
//! arrows from the command that moves a LUN to its new owner, and from there to the first I/O; counters for what
//! is in flight and for the throughput of each path. Microseconds are the story's.

mod commands;
mod counters;
mod states;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::past::Past;

/// Most events of a trace: the workload's commands beyond that are left out, and that is said.
const MOST: usize = 400_000;

/// The groups of tracks, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Story = 1,
    Array = 2,
    Guest = 3,
    Paths = 4,
    Workload = 5,
}

impl Group {
    const ALL: [(Group, &'static str); 5] = [
        (Group::Story, "story"),
        (Group::Array, "array"),
        (Group::Guest, "dm-multipath and multipathd"),
        (Group::Paths, "commands by path"),
        (Group::Workload, "workload"),
    ];
}

/// An event of a trace, by the names of the format.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Entry {
    name: String,
    cat: &'static str,
    ph: &'static str,
    ts: f64,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// Binds the end of an arrow to the slice around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    /// The scope of an instant: its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

/// A slice or instant, without its place.
#[derive(Debug, Clone)]
struct What {
    name: String,
    cat: &'static str,
    args: Value,
}

/// A place on a track.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    group: Group,
    tid: u32,
    ts: f64,
}

/// A trace that is being made.
#[derive(Debug, Default)]
struct Trace {
    entries: Vec<Entry>,
    /// Of each track the ends of its lanes, with their numbers.
    tracks: BTreeMap<(Group, String), Vec<(f64, u32)>>,
    names: Vec<(Group, u32, String)>,
    arrows: u64,
    left_out: u64,
}

impl Trace {
    /// A slice on a track. Slices that overlap are on several lanes of it, since those of one lane must nest.
    fn slice(&mut self, group: Group, track: &str, from: f64, to: f64, what: What) -> Spot {
        let to = to.max(from);
        let lanes = self.tracks.entry((group, track.to_owned())).or_default();
        let free = lanes.iter_mut().find(|(end, _)| *end <= from);
        let tid = match free {
            Some((end, tid)) => {
                *end = to;
                *tid
            }
            None => {
                let tid = self.names.len() as u32 + 1;
                lanes.push((to, tid));
                self.names.push((group, tid, track.to_owned()));
                tid
            }
        };
        let spot = Spot { group, tid, ts: micros(from) };
        self.entry("X", spot, Some(micros(to) - micros(from)), None, what);
        spot
    }

    /// Something at one moment.
    fn instant(&mut self, group: Group, track: &str, t: f64, what: What) {
        let tid = self.lane(group, track);
        self.entry("i", Spot { group, tid, ts: micros(t) }, None, None, what);
    }

    fn lane(&mut self, group: Group, track: &str) -> u32 {
        let lanes = self.tracks.entry((group, track.to_owned())).or_default();
        if let Some((_, tid)) = lanes.first() {
            return *tid;
        }
        let tid = self.names.len() as u32 + 1;
        lanes.push((f64::MIN, tid));
        self.names.push((group, tid, track.to_owned()));
        tid
    }

    /// An arrow from one slice to another.
    fn arrow(&mut self, name: &str, from: Spot, to: Spot) {
        self.arrows += 1;
        let what = || What { name: name.to_owned(), cat: "moves", args: Value::Null };
        let id = Some(self.arrows);
        self.entry("s", from, None, id, what());
        self.entry("f", to, None, id, what());
    }

    /// A value of a counter from now on.
    fn counter(&mut self, name: &str, t: f64, unit: &str, value: f64) {
        let what = What { name: name.to_owned(), cat: "counter", args: json!({ unit: value }) };
        self.entry("C", Spot { group: Group::Workload, tid: 0, ts: micros(t) }, None, None, what);
    }

    fn entry(&mut self, ph: &'static str, at: Spot, dur: Option<f64>, id: Option<u64>, what: What) {
        if self.entries.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let What { name, cat, args } = what;
        let bp = (ph == "f").then_some("e");
        let s = (ph == "i").then_some("t");
        let (pid, tid, ts) = (at.group as u32, at.tid, at.ts);
        self.entries.push(Entry { name, cat, ph, ts, pid, tid, dur, id, bp, s, args });
    }

    fn finish(mut self, past: &Past) -> String {
        self.entries.sort_by(|a, b| a.ts.total_cmp(&b.ts));
        let mut all: Vec<Value> = Vec::with_capacity(self.entries.len() + self.names.len() + 8);
        let meta = |name: &str, pid: u32, tid: u32, args: Value| json!({ "name": name, "ph": "M", "pid": pid, "tid": tid, "args": args });
        for (group, name) in Group::ALL {
            let pid = group as u32;
            all.push(meta("process_name", pid, 0, json!({ "name": name })));
            all.push(meta("process_sort_index", pid, 0, json!({ "sort_index": pid })));
        }
        for (group, tid, name) in &self.names {
            all.push(meta("thread_name", *group as u32, *tid, json!({ "name": name })));
            all.push(meta("thread_sort_index", *group as u32, *tid, json!({ "sort_index": tid })));
        }
        let entries = self.entries.iter().map(serde_json::to_value);
        all.extend(entries.map(|entry| entry.expect("an entry is plain data")));
        let summary = &past.summary;
        let trace = json!({
            "displayTimeUnit": "ms",
            "otherData": {
                "title": summary.title,
                "verdict": summary.verdict,
                "kernel": summary.kernel,
                "seed": summary.seed.to_string(),
                "left_out": self.left_out,
            },
            "traceEvents": all,
        });
        trace.to_string() + "\n"
    }
}

/// Microseconds, to the nanosecond.
fn micros(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e3
}

/// The trace of a run: the text of `trace.json`.
pub fn trace(past: &Past) -> String {
    let mut trace = Trace::default();
    let end = past.events.iter().map(|event| event.t).fold(past.summary.simulated_s, f64::max);
    let owners = states::add(&mut trace, &past.events, end);
    commands::add(&mut trace, &past.events, &owners);
    counters::add(&mut trace, &past.events, past.summary.simulated_s, end);
    trace.finish(past)
}

#[cfg(test)]
mod tests;
