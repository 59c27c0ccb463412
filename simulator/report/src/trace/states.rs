//! States that last, and what happens at a moment.

use std::collections::BTreeMap;

use sansim_stage::event::{Change, Event, IoKind, PathState, What as Told};
use serde_json::json;

use super::{Group, Spot, Trace, What};

/// A LUN that got another owner.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) t: f64,
    pub(super) lun: u16,
    pub(super) to: String,
    /// The nexus whose command did it.
    pub(super) by: Option<String>,
    /// The beginning of the new owner's slice.
    pub(super) spot: Spot,
}

/// Adds states, steps, logs and stalls; returns when LUNs got another owner.
pub(super) fn add(trace: &mut Trace, events: &[Event], end: f64) -> Vec<Moved> {
    let mut story: Vec<&Event> = events.iter().filter(|event| event.t >= 0.0).collect();
    story.sort_by(|a, b| a.t.total_cmp(&b.t));
    let mut states = States::default();
    let mut moved = Vec::new();
    for event in story {
        let t = event.t;
        match &event.what {
            Told::State { change: Change::Controller { controller, from, to }, .. } => {
                states.change(trace, Group::Array, format!("controller {controller}"), t, from, to);
            }
            Told::State { change: Change::Owner { lun, from, to, by }, text } => {
                let track = format!("owner of LUN {lun}");
                states.change(trace, Group::Array, track.clone(), t, from, to);
                // An arrow needs a slice to point at, however short.
                let what = plain(text.clone(), "owner");
                let spot = trace.slice(Group::Array, "changes of owners", t, t + 1e-6, what);
                moved.push(Moved { t, lun: *lun, to: to.clone(), by: by.clone(), spot });
            }
            Told::State { change: Change::Other, text } => {
                trace.instant(Group::Array, "other changes", t, plain(text.clone(), "array"));
            }
            Told::Path { path, state, .. } => {
                let (from, to) = match state {
                    PathState::Failed => ("active", "failed"),
                    PathState::Active => ("failed", "active"),
                };
                states.change(trace, Group::Guest, format!("path {path}"), t, from, to);
            }
            Told::PgInit { map, rounds } => {
                let to = if *rounds == 0 { "none".to_owned() } else { format!("round {rounds}") };
                states.change(trace, Group::Guest, format!("pg_init of {map}"), t, "none", &to);
            }
            Told::Step { name, action, took_s, error } => {
                let from = t - took_s.unwrap_or(0.0);
                let args = json!({ "name": name, "error": error });
                let what = What { name: action.clone(), cat: "step", args };
                trace.slice(Group::Story, "steps", from, t.max(from + 1e-6), what);
            }
            Told::Expect { text, ok, seen } => {
                let args = json!({ "holds": ok, "seen": seen });
                let what = What { name: text.clone(), cat: "expect", args };
                trace.instant(Group::Story, "expectations", t, what);
            }
            Told::Log { level: None, text } => {
                trace.instant(Group::Guest, "multipathd", t, plain(text.clone(), "log"));
            }
            Told::Log { text, .. } => {
                trace.instant(Group::Guest, "kernel log", t, plain(text.clone(), "log"));
            }
            Told::Io { what: IoKind::StallBegin, .. } => {
                states.change(trace, Group::Workload, "I/O".to_owned(), t, "completes", "stalls");
            }
            Told::Io { what: IoKind::StallEnd, .. } => {
                states.change(trace, Group::Workload, "I/O".to_owned(), t, "stalls", "completes");
            }
            Told::Io { text, .. } => {
                trace.instant(Group::Workload, "errors", t, plain(text.clone(), "io"));
            }
            _ => {}
        }
    }
    states.finish(trace, end);
    moved
}

fn plain(name: String, cat: &'static str) -> What {
    What { name, cat, args: serde_json::Value::Null }
}

/// What lasts at the moment: by track, since when.
#[derive(Default)]
struct States {
    open: BTreeMap<(Group, String), (f64, String)>,
}

impl States {
    /// One state ends and another begins; the first one began with the story.
    fn change(
        &mut self,
        trace: &mut Trace,
        group: Group,
        track: String,
        t: f64,
        from: &str,
        to: &str,
    ) {
        let last = self.open.insert((group, track.clone()), (t, to.to_owned()));
        let (since, name) = last.unwrap_or((0.0, from.to_owned()));
        trace.slice(group, &track, since, t, plain(name, "state"));
    }

    fn finish(self, trace: &mut Trace, end: f64) {
        for ((group, track), (since, name)) in self.open {
            trace.slice(group, &track, since, end, plain(name, "state"));
        }
    }
}
