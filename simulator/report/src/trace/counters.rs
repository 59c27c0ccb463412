//! What is in flight, and how much goes through each path.

use std::collections::BTreeMap;

use sansim_stage::event::{Event, What as Told};

use super::Trace;

/// The most points of a counter.
const POINTS: f64 = 1000.0;
/// The shortest interval of a point, in seconds.
const SHORTEST: f64 = 0.01;

/// Adds the counters of a run that ended at `end`, and whose story did at `over`.
pub(super) fn add(trace: &mut Trace, events: &[Event], over: f64, end: f64) {
    let width = (end / POINTS).max(SHORTEST);
    let bucket = |t: f64| (t / width) as usize;
    let last = bucket(end);
    let mut changes: Vec<(f64, i64)> = Vec::new();
    let mut done: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in events {
        let Told::Command(command) = &event.what else { continue };
        let is_io = command.is_io();
        if event.t < 0.0 || !is_io {
            continue;
        }
        let ended = event.t + command.latency_s;
        changes.extend([(event.t, 1), (ended, -1)]);
        // What is read back when the story is over would dwarf all that was read in it.
        if !command.failed() && event.t <= over {
            let path = command.path();
            let counts = done.entry(path).or_insert_with(|| vec![0; last + 2]);
            counts[bucket(ended).min(last + 1)] += 1;
        }
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut most = vec![0i64; last + 2];
    let (mut now, mut at) = (0, 0);
    for (t, change) in changes {
        let place = bucket(t).min(last + 1);
        // What is in flight stays so in the intervals in which nothing changes.
        most[at + 1..=place.max(at)].iter_mut().for_each(|it| *it = now);
        at = place;
        now += change;
        most[at] = most[at].max(now);
    }
    points(trace, "in flight", "commands", &most, width, |count| *count as f64);
    for (path, counts) in done {
        let name = format!("throughput of {path}");
        points(trace, &name, "per second", &counts, width, |count| *count as f64 / width);
    }
}

/// Adds the points at which a counter changes.
fn points<T>(
    trace: &mut Trace,
    name: &str,
    unit: &str,
    of: &[T],
    width: f64,
    value: impl Fn(&T) -> f64,
) {
    let mut last = None;
    for (at, it) in of.iter().enumerate() {
        let value = value(it);
        if last != Some(value) {
            trace.counter(name, at as f64 * width, unit, value);
            last = Some(value);
        }
    }
}
