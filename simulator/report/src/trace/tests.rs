//! A trace's structure, by the rules of its format.

use std::collections::{BTreeMap, BTreeSet};

use sansim_stage::event::{Change, CommandEvent, Event, What as Told};
use serde_json::Value;

use super::*;
use crate::{
    past::PastSummary,
    testing::{self, told},
};

fn command(t: f64, op: &str, port: &str, latency_s: f64) -> Event {
    let seq = (t * 1000.0) as u64;
    told(t, CommandEvent { seq, latency_s, ..testing::command(op, port, None) })
}

/// When the story is over.
const OVER: f64 = 2.0;

fn of(events: Vec<Event>) -> Vec<Value> {
    let summary = PastSummary { simulated_s: OVER, ..PastSummary::default() };
    let past = Past { name: "run".into(), summary, events };
    let trace: Value = serde_json::from_str(&trace(&past)).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

fn moved() -> Vec<Value> {
    let by = Some("hba0:B0".to_owned());
    let change = Change::Owner { lun: 0, from: "A".into(), to: "B".into(), by };
    of(vec![
        command(0.5, "READ(10)", "A0", 0.3),
        command(0.6, "READ(10)", "A0", 0.3),
        command(1.0, "MODE SELECT(10)", "B0", 0.2),
        Event { t: 1.1, what: Told::State { text: "LUN 0: owner A -> B".into(), change } },
        command(1.5, "READ(10)", "B0", 0.1),
    ])
}

#[test]
fn slices_of_a_lane_do_not_overlap() {
    let mut ends: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    let events = moved();
    for slice in events.iter().filter(|event| event["ph"] == "X") {
        let lane = (slice["pid"].as_u64().unwrap(), slice["tid"].as_u64().unwrap());
        let (ts, dur) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
        let end = ends.entry(lane).or_insert(f64::MIN);
        assert!(ts >= *end, "{slice}");
        *end = ts + dur;
    }
    assert!(ends.len() >= 5, "two lanes of A0, one of B0, two of the owner: {ends:?}");
}

#[test]
fn arrows_lead_from_the_command_to_the_owner_and_to_the_first_io() {
    let events = moved();
    let arrow = |ph: &str| -> Vec<f64> {
        let of = events.iter().filter(|event| event["ph"] == ph && event["cat"] == "moves");
        of.map(|event| event["ts"].as_f64().unwrap()).collect()
    };
    assert_eq!(arrow("s"), [1_000_000.0, 1_100_000.0]);
    assert_eq!(arrow("f"), [1_100_000.0, 1_500_000.0]);
    // Each end is at a slice, or it would point at nothing.
    for end in events.iter().filter(|event| event["cat"] == "moves") {
        let at = |slice: &&Value| {
            slice["ph"] == "X"
                && (&slice["pid"], &slice["tid"]) == (&end["pid"], &end["tid"])
                && slice["ts"] == end["ts"]
        };
        assert!(events.iter().find(at).is_some(), "{end}");
    }
}

#[test]
fn counters_count() {
    let events = moved();
    let values = |name: &str| -> Vec<f64> {
        let of = events.iter().filter(|event| event["ph"] == "C" && event["name"] == name);
        of.filter_map(|event| event["args"].as_object()?.values().next()?.as_f64()).collect()
    };
    let in_flight = values("in flight");
    assert_eq!(in_flight.iter().copied().fold(0.0, f64::max), 2.0, "{in_flight:?}");
    assert!(values("throughput of hba0:B0").iter().any(|it| *it > 0.0));
}

#[test]
fn what_is_read_back_when_the_story_is_over_is_no_throughput() {
    let reads = [(1.0, "A0"), (OVER + 0.1, "B0")];
    let events = of(reads.map(|(t, port)| command(t, "READ(10)", port, 0.1)).to_vec());
    let counters =
        events.iter().filter(|event| event["ph"] == "C").filter_map(|it| it["name"].as_str());
    let throughput: BTreeSet<&str> =
        counters.filter(|name| name.starts_with("throughput")).collect();
    assert_eq!(throughput, BTreeSet::from(["throughput of hba0:A0"]));
}
