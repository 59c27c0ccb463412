//! What was going on during a pause.

use std::collections::BTreeSet;

use sansim_stage::event::{CommandEvent, Event, PathState, What};

use super::{Cause, Part, SLOW};

/// Commands that fail one after the other within this many seconds are one chain of retries.
const CHAIN: f64 = 1.5;
/// Questions of a handler within this many seconds are one chain: it waits 2 s between them, and the workqueue a bit
/// (scsi_dh_alua.c:ALUA_RTPG_RETRY_DELAY).
const POLLING: f64 = 5.0;
/// A command that the HBA gives up has waited at least this long, in seconds.
const PATIENCE: f64 = 1.0;
/// What is between a command and the rule in the text of a change (`sansim_array::Changed::Parked`).
const KEPT_BACK: &str = " is kept back by ";
/// A command and its being kept back are told with one time, rounded to microseconds.
const SAME: f64 = 1e-4;
/// The operations by which handlers move a LUN.
const MOVES: [&str; 3] = ["MODE SELECT", "START STOP UNIT", "SET TARGET PORT GROUPS"];

/// The parts of the time from `from` to `to`, without gaps. `paths` are all that there are.
pub(super) fn parts(events: &[Event], paths: &BTreeSet<String>, from: f64, to: f64) -> Vec<Part> {
    let mut spans = commands(events);
    spans.extend(retries(events));
    spans.extend(polling(events));
    spans.extend(without_paths(events, paths));
    spans.extend(unanswered(events));
    spans.retain(|span| span.to > from && span.from < to);
    let mut times: Vec<f64> = spans.iter().flat_map(|span| [span.from, span.to]).collect();
    times.extend([from, to]);
    times.retain(|t| (from..=to).contains(t));
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut parts: Vec<Part> = Vec::new();
    for pair in times.windows(2) {
        let (begin, end) = (pair[0], pair[1]);
        let covers = |span: &&Part| span.from <= begin && span.to >= end;
        let strongest = spans.iter().filter(covers).min_by_key(|span| span.cause);
        let (cause, evidence) = strongest.map_or((Cause::Rest, ""), |it| (it.cause, &it.evidence));
        match parts.last_mut() {
            Some(last) if last.cause == cause && last.evidence == evidence => last.to = end,
            _ => parts.push(Part { from: begin, to: end, cause, evidence: evidence.to_owned() }),
        }
    }
    parts
}

fn of_commands(events: &[Event]) -> impl Iterator<Item = (f64, &CommandEvent)> {
    events.iter().filter_map(|event| match &event.what {
        What::Command(command) => Some((event.t, command)),
        _ => None,
    })
}

fn moves(command: &CommandEvent) -> bool {
    MOVES.iter().any(|name| command.op.starts_with(name))
}

fn in_words(t: f64, command: &CommandEvent) -> String {
    let CommandEvent { hba, port, lun, op, .. } = command;
    format!("{op} to hba{hba}:{port} LUN {lun} at {t:.3} s: {}", command.answer())
}

/// Commands while they are with the array.
fn commands(events: &[Event]) -> Vec<Part> {
    let spans = of_commands(events).filter_map(|(t, command)| {
        let given_up = command.response != "OK" && command.latency_s >= PATIENCE;
        let cause = match command {
            _ if given_up => Cause::HbaPatience,
            _ if moves(command) => Cause::Activation,
            _ if command.latency_s >= SLOW => Cause::Array,
            _ => return None,
        };
        Some(Part { from: t, to: t + command.latency_s, cause, evidence: in_words(t, command) })
    });
    spans.collect()
}

/// Commands that were kept back and have not ended when the story did: there is no event of a command for them.
fn unanswered(events: &[Event]) -> Vec<Part> {
    let kept = events.iter().filter_map(|event| match &event.what {
        What::State { text, .. } => {
            text.split_once(KEPT_BACK).map(|(what, rule)| (event.t, what, rule))
        }
        _ => None,
    });
    let ended = |t: f64, rule: &str| {
        let same = |(at, command): (f64, &CommandEvent)| {
            (at - t).abs() < SAME && command.fault.as_deref() == Some(rule)
        };
        of_commands(events).any(same)
    };
    let open = kept.filter(|(t, _, rule)| !ended(*t, rule));
    let spans = open.map(|(from, what, rule)| {
        let evidence = format!("{what} at {from:.3} s is kept back by {rule}, and not answered");
        Part { from, to: f64::MAX, cause: Cause::Array, evidence }
    });
    spans.collect()
}

/// The time between a command that should have moved a LUN and the next try, and chains of failing I/O.
fn retries(events: &[Event]) -> Vec<Part> {
    let mut spans = Vec::new();
    let mut refused: Option<(f64, String)> = None;
    let mut failing: Option<Part> = None;
    for (t, command) in of_commands(events) {
        let end = t + command.latency_s;
        if moves(command) {
            if let Some((since, evidence)) = refused.take() {
                spans.push(Part { from: since, to: t, cause: Cause::Retry, evidence });
            }
            if command.failed() {
                refused = Some((end, in_words(t, command)));
            }
        } else if command.is_io() && command.failed() {
            match &mut failing {
                Some(chain) if t - chain.to <= CHAIN => chain.to = chain.to.max(end),
                chain => {
                    let evidence = in_words(t, command);
                    let cause = Cause::MidLayer;
                    spans.extend(chain.replace(Part { from: t, to: end, cause, evidence }));
                }
            }
        }
    }
    spans.extend(failing);
    spans
}

/// REPORT TARGET PORT GROUPS and TEST UNIT READY that fail, or are sent again, one after the other: the handler waits
/// for a transition to end (scsi_dh_alua.c:alua_rtpg_work, scsi_dh_hp_sw.c:hp_sw_tur).
fn polling(events: &[Event]) -> Vec<Part> {
    let mut spans: Vec<Part> = Vec::new();
    for (t, command) in of_commands(events) {
        let asks = command.op.starts_with("REPORT TARGET PORT GROUPS")
            || (command.op == "TEST UNIT READY" && command.failed());
        if !asks {
            continue;
        }
        let end = t + command.latency_s;
        match spans.last_mut() {
            Some(last) if t - last.to <= POLLING => last.to = last.to.max(end),
            _ => {
                let evidence = format!("{}, and again", in_words(t, command));
                spans.push(Part { from: t, to: end, cause: Cause::HandlerPolling, evidence });
            }
        }
    }
    spans
}

/// Since when something is so, and what shows it.
type Since = Option<(f64, String)>;

/// Whether a change of the array brings something back (`sansim_array::Changed`).
fn is_back(text: &str) -> bool {
    ["-> online", ": up", ": there"].iter().any(|end| text.ends_with(end))
}

/// The time in which all paths had failed: until something of the SAN came back, and from then until a path did.
fn without_paths(events: &[Event], every: &BTreeSet<String>) -> Vec<Part> {
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    let mut spans = Vec::new();
    // Since when there is no path, and since when something is back.
    let (mut none, mut back): (Since, Since) = (None, None);
    for event in events {
        match &event.what {
            What::Path { path, state: PathState::Failed, .. } => {
                failed.insert(path);
                if failed.len() >= every.len() && !every.is_empty() {
                    none.get_or_insert((
                        event.t,
                        format!("path {path} failed at {:.3} s, the last", event.t),
                    ));
                }
            }
            What::Path { path, state: PathState::Active, .. } => {
                failed.remove(path.as_str());
                if let Some((since, evidence)) = none.take() {
                    let until = back.as_ref().map_or(event.t, |(t, _)| *t);
                    spans.push(Part { from: since, to: until, cause: Cause::NoPath, evidence });
                }
                if let Some((since, evidence)) = back.take() {
                    spans.push(Part { from: since, to: event.t, cause: Cause::Checker, evidence });
                }
            }
            What::State { text, .. } if none.is_some() && is_back(text) => {
                back.get_or_insert((event.t, format!("{text} at {:.3} s", event.t)));
            }
            _ => {}
        }
    }
    if let Some((since, evidence)) = none {
        let until = back.as_ref().map_or(f64::MAX, |(t, _)| *t);
        spans.push(Part { from: since, to: until, cause: Cause::NoPath, evidence });
    }
    if let Some((since, evidence)) = back {
        spans.push(Part { from: since, to: f64::MAX, cause: Cause::Checker, evidence });
    }
    spans
}
