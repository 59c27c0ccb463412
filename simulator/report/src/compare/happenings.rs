//! What happened in a run, as far as it tells something, in words that do not vary between runs that do the same.

use std::collections::{BTreeMap, BTreeSet};

use sansim_stage::event::{Change, CommandEvent, Event, GroupState, IoKind, PathState, What};
use serde::Serialize;

use crate::timeline::ended;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// Scenario time in seconds, of the first of its kind in a row.
    pub t: f64,
    /// What happened, in words.
    pub text: String,
    /// How often, in a row.
    pub count: u32,
    /// What is compared.
    #[serde(skip)]
    pub(super) key: String,
}

/// The story's happenings in the order of time, at most `most`.
pub(super) fn of(events: &[Event], most: usize) -> Vec<Happening> {
    let mut story: Vec<&Event> = events.iter().filter(|event| event.t >= 0.0).collect();
    // A command is told when it has ended, at the time of its arrival.
    story.sort_by(|a, b| a.t.total_cmp(&b.t));
    let mut happenings: Vec<Happening> = Vec::new();
    // The controller through which a LUN's I/O went last.
    let mut through: BTreeMap<u16, String> = BTreeMap::new();
    for event in story {
        let Some(text) = tell(&event.what, &mut through) else { continue };
        if let Some(last) = happenings.last_mut().filter(|last| last.key == text) {
            last.count += 1;
            continue;
        }
        if happenings.len() == most {
            break;
        }
        happenings.push(Happening { t: event.t, key: text.clone(), text, count: 1 });
    }
    happenings
}

fn tell(what: &What, through: &mut BTreeMap<u16, String>) -> Option<String> {
    Some(match what {
        What::Command(command) => return of_command(command, through),
        What::State { change: Change::Other, .. } => return None,
        What::State { text, .. } => text.clone(),
        What::Step { action, error: None, .. } => format!("step: {action}"),
        What::Step { action, error: Some(error), .. } => format!("step: {action}: {error}"),
        What::Path { path, state: PathState::Failed, .. } => format!("path {path} failed"),
        What::Path { path, state: PathState::Active, .. } => format!("path {path} active"),
        What::Group { group, state } => {
            let word = match state {
                GroupState::Current => "current",
                GroupState::Bypassed => "bypassed",
                GroupState::Enabled => "enabled",
            };
            format!("path group {group} {word}")
        }
        What::PgInit { rounds: 0, .. } => return None,
        What::PgInit { map, rounds } => format!("pg_init of {map}: round {rounds}"),
        What::Map { map, paths: Some(paths), .. } => format!("map {map} with {paths} paths"),
        What::Map { map, paths: None, .. } => format!("map {map} is gone"),
        What::Disk { action, path, lun, .. } => {
            format!(
                "disk {} LUN {}: {action:?}",
                path.as_deref().unwrap_or("?"),
                lun.unwrap_or_default()
            )
        }
        What::Io { what: IoKind::Error, .. } => "I/O of the workload fails".to_owned(),
        What::Io { what: IoKind::Corrupt, text, .. } => format!("wrong data: {text}"),
        What::Io { what: IoKind::StallBegin, .. } => "I/O stalls".to_owned(),
        What::Io { what: IoKind::StallEnd, .. } => "I/O completes again".to_owned(),
        What::Io { what: IoKind::NoStart, text, .. } => text.clone(),
        What::Ran { name, code, killed_by, .. } => {
            format!("program {name}: {}", ended(*code, killed_by.as_deref()))
        }
        What::Begun { .. }
        | What::Table { .. }
        | What::Log { .. }
        | What::Uevent { .. }
        | What::Incomplete { .. }
        | What::Multipathd { .. }
        | What::Expect { .. }
        | What::Idle(_)
        | What::Verdict { .. } => return None,
    })
}

/// Commands that move a LUN, commands that are not answered GOOD, and the first I/O through another controller.
fn of_command(command: &CommandEvent, through: &mut BTreeMap<u16, String>) -> Option<String> {
    const MOVES: [&str; 4] =
        ["MODE SELECT", "START STOP", "SET TARGET PORT", "PERSISTENT RESERVE OUT"];
    let CommandEvent { hba, port, controller, lun, op, .. } = command;
    let moves = MOVES.iter().any(|name| op.starts_with(name));
    if command.failed() || moves {
        let rule = command.fault.as_ref().map(|rule| format!("  [{rule}]")).unwrap_or_default();
        return Some(format!("{op} to hba{hba}:{port} LUN {lun}: {}{rule}", command.answer()));
    }
    if !(op.starts_with("READ(") || op.starts_with("WRITE(")) {
        return None;
    }
    let last = through.insert(*lun, controller.clone());
    (last.as_ref() != Some(controller))
        .then(|| format!("I/O of LUN {lun} goes through {controller}"))
}

/// Lines of the kernel's log that only one of the runs has, whatever numbers are in them: at most `most` each.
pub(super) fn log_of_one(a: &[Event], b: &[Event], most: usize) -> [Vec<Happening>; 2] {
    let (of_a, of_b) = (log(a), log(b));
    let keys = |log: &[Happening]| log.iter().map(|it| it.key.clone()).collect::<BTreeSet<_>>();
    let (known_a, known_b) = (keys(&of_a), keys(&of_b));
    let only = |log: Vec<Happening>, other: &BTreeSet<String>| {
        log.into_iter().filter(|it| !other.contains(&it.key)).take(most).collect()
    };
    [only(of_a, &known_b), only(of_b, &known_a)]
}

/// The story's log, each line once.
fn log(events: &[Event]) -> Vec<Happening> {
    let mut lines: Vec<Happening> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event.t >= 0.0) {
        let What::Log { text, .. } = &event.what else { continue };
        let key = without_numbers(text);
        match places.get(&key) {
            Some(place) => lines[*place].count += 1,
            None => {
                places.insert(key.clone(), lines.len());
                lines.push(Happening { t: event.t, text: text.clone(), count: 1, key });
            }
        }
    }
    lines
}

/// A line with `#` for each number, hexadecimal ones too: sectors, flags, tags and times vary.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        out.push_str(before);
        out.push('#');
        let hex = number.strip_prefix("0x");
        let digits = hex.unwrap_or(number);
        let is_digit =
            |c: char| if hex.is_some() { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        rest = digits.trim_start_matches(is_digit);
    }
    out + rest
}
