//! Two small stories that part.

use sansim_stage::event::{CommandEvent, Event, GroupState, IoKind, PathState, What};

use super::*;
use crate::{
    past::{PastExpectation, PastSummary},
    testing::{self, told},
};

fn command(t: f64, op: &str, port: &str, sense: Option<&str>) -> Event {
    told(t, CommandEvent { latency_s: 0.001, ..testing::command(op, port, sense) })
}

fn step(t: f64) -> Event {
    let (name, action) = ("step-1".to_owned(), "fail controller A".to_owned());
    Event { t, what: What::Step { name, action, took_s: None, error: None } }
}

fn past(name: &str, ok: bool, events: Vec<Event>) -> Past {
    let expectation = PastExpectation {
        text: "path B0 is active".into(),
        ok,
        seen: if ok { "" } else { "it is failed" }.into(),
    };
    let verdict = if ok { "pass" } else { "fail" }.to_owned();
    let summary =
        PastSummary { verdict, expectations: vec![expectation], ..PastSummary::default() };
    Past { name: name.into(), summary, events }
}

fn two() -> Comparison {
    let common = |shift: f64| {
        vec![
            command(0.1, "READ(10)", "A0", None),
            command(0.2, "READ(10)", "A0", None),
            step(1.0),
            command(1.1 + shift, "MODE SELECT(10)", "B0", Some("06/2a/01")),
            command(1.2 + shift, "MODE SELECT(10)", "B0", None),
        ]
    };
    let mut a = common(0.0);
    let (path, state, group_state) = ("hba0:B0".to_owned(), PathState::Failed, GroupState::Current);
    a.push(Event {
        t: 1.3,
        what: What::Path { dev: "8:0".into(), path, state, fails: 1, group: 2, group_state },
    });
    let error = |t| Event {
        t,
        what: What::Io {
            what: IoKind::Error,
            map: None,
            text: format!("read at {t}"),
            offset: Some(t as u64),
        },
    };
    a.extend([error(1.4), error(1.5), error(1.6)]);
    a.push(Event { t: 1.3, what: What::Log { level: Some(4), text: "Failing path 8:16.".into() } });
    let mut b = common(0.05);
    b.push(command(1.4, "READ(10)", "B0", None));
    Comparison::of(&past("old", false, a), &past("new", true, b))
}

#[test]
fn runs_are_aligned_by_what_happened_whenever_it_did() {
    let comparison = two();
    // Two reads through A are one: I/O goes through A. Both MODE SELECTs are at other times.
    assert_eq!((comparison.in_common, comparison.happenings), (4, [6, 5]));
    assert_eq!(comparison.first_difference[0][0].text, "path hba0:B0 failed");
    assert_eq!(comparison.first_difference[0][1].count, 3);
    assert_eq!(comparison.first_difference[1][0].text, "I/O of LUN 0 goes through B");
    assert!(comparison.differs());
    insta::assert_snapshot!(comparison.to_string());
}

#[test]
fn the_page_and_the_json_say_the_same() {
    let comparison = two();
    let page = page(std::slice::from_ref(&comparison));
    let json: serde_json::Value = serde_json::to_value(&comparison).unwrap();
    assert_eq!(json["first_difference"][0][0]["text"], "path hba0:B0 failed");
    for text in ["path hba0:B0 failed", "I/O of LUN 0 goes through B", "it is failed"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "a page on its own");
}

#[test]
fn the_same_run_does_not_differ() {
    let run = past("a", true, vec![step(1.0)]);
    let comparison = Comparison::of(&run, &run);
    assert!(!comparison.differs());
    assert!(comparison.to_string().contains("Nothing that tells something differs"));
}
