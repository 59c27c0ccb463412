//! The story condensed to a screen: steps, faults, activation commands with their sense, pg_init rounds,
//! path changes and stalls, in order of scenario time.

use std::fmt;

use sansim_stage::{
    event::{CommandEvent, DiskAction, Event, GroupState, IoKind, PathState, What},
    visible,
};

/// Maximum number of lines; of a longer story the middle is left out, with a note.
const MAX_LINES: usize = 400;

/// How long a command or a step takes, in seconds, before it is said how long.
const WORTH_TELLING: f64 = 0.1;

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Scenario time of the first event of this line, in seconds.
    pub t: f64,
    /// Scenario time of the last event of this line, in seconds.
    pub last: f64,
    /// Kind of event: `step`, `state`, `command`, `path`, …
    pub tag: &'static str,
    /// The event in words.
    pub text: String,
    /// Whether it is an error, a failed path, an unmet expectation or the like.
    pub bad: bool,
    /// Number of equal consecutive events in this line.
    pub count: u64,
}

/// Collects the events that are worth showing.
#[derive(Debug, Default)]
pub struct Timeline {
    lines: Vec<Line>,
    left_out: u64,
}

impl Timeline {
    /// Adds an event, if it is worth showing.
    pub fn push(&mut self, event: &Event) {
        let Some((tag, text, bad)) = tell(event) else { return };
        let text = visible(&text).into_owned();
        if let Some(same) =
            self.lines.iter_mut().rev().take(4).find(|l| l.tag == tag && l.text == text)
            && event.t >= same.t
        {
            same.count += 1;
            same.last = event.t;
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.remove(MAX_LINES / 2);
            self.left_out += 1;
        }
        let line = Line { t: event.t, last: event.t, tag, text, bad, count: 1 };
        // Commands are reported on completion, with the time of their arrival.
        let place = self.lines.iter().rposition(|l| l.t <= line.t).map_or(0, |p| p + 1);
        self.lines.insert(place, line);
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Number of lines left out of the middle.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3}s  {:<8} {}", self.t, self.tag, self.text)?;
        if self.count > 1 {
            write!(f, "  ×{} until {:.3}s", self.count, self.last)?;
        }
        Ok(())
    }
}

/// Tag and text of an event, and whether it is bad; `None` if it is not worth showing.
fn tell(event: &Event) -> Option<(&'static str, String, bool)> {
    Some(match &event.what {
        What::Command(command) => ("command", tell_command(command, event.t)?, command.failed()),
        What::State { text, .. } if event.t > 0.0 => ("state", text.clone(), false),
        What::Step { name, action, took_s, error } => {
            let mut named = named(name, action);
            if let Some(took) = took_s.filter(|took| *took >= WORTH_TELLING) {
                named.push_str(&format!(", begun {took:.1} s before"));
            }
            match error {
                None => ("step", named, false),
                Some(error) => ("step", format!("{named}: {error}"), true),
            }
        }
        What::Path { path, dev, state, fails, .. } => match state {
            PathState::Failed => ("path", format!("{path} ({dev}) failed, {fails} in all"), true),
            PathState::Active => ("path", format!("{path} ({dev}) active"), false),
        },
        What::Disk { action, name, path, lun, .. } if event.t > 0.0 => {
            let place = match (path, lun) {
                (Some(path), Some(lun)) => format!(" ({path} LUN {lun})"),
                _ => String::new(),
            };
            match action {
                DiskAction::Add => ("disk", format!("{name}{place} is there"), false),
                DiskAction::Remove => ("disk", format!("{name}{place} is gone"), true),
            }
        }
        What::Map { map, paths: Some(paths), .. } => {
            ("map", format!("{map} is there with {paths} paths"), false)
        }
        What::Map { map, paths: None, .. } => ("map", format!("{map} is gone"), true),
        What::Incomplete { text } => ("begin", text.clone(), false),
        What::Multipathd { error: Some(error), .. } => ("daemon", error.clone(), true),
        What::Table { map, .. } => ("table", format!("{map} has a new table"), false),
        What::Group { group, state } => {
            let word = match state {
                GroupState::Current => "current",
                GroupState::Bypassed => "bypassed",
                GroupState::Enabled => "enabled",
            };
            ("group", format!("path group {group} is {word}"), false)
        }
        What::PgInit { rounds: 0, .. } => return None,
        What::PgInit { rounds, .. } => ("pg_init", format!("round {rounds}"), false),
        What::Io { what, text, .. } => ("io", text.clone(), *what != IoKind::StallEnd),
        What::Ran { name, code, killed_by, .. } => {
            ("ran", format!("{name}: {}", ended(*code, killed_by.as_deref())), false)
        }
        What::Expect { text, ok: true, .. } => ("expect", text.clone(), false),
        What::Expect { seen, .. } => ("expect", seen.clone(), true),
        What::Idle(idle) => ("idle", idle.to_string(), true),
        What::Verdict { verdict, reason } => {
            let text = match reason {
                None => verdict.clone(),
                Some(reason) => format!("{verdict}: {}", reason.lines().next().unwrap_or_default()),
            };
            ("verdict", text, verdict == "fail" || verdict == "error")
        }
        What::Log { level: None, text } if event.t >= 0.0 => ("daemon", text.clone(), false),
        What::State { .. }
        | What::Disk { .. }
        | What::Begun { .. }
        | What::Log { .. }
        | What::Uevent { .. }
        | What::Multipathd { .. } => return None,
    })
}

/// A step in words: its action, with its name if it has one of its own.
fn named(name: &str, action: &str) -> String {
    if name == action { action.to_owned() } else { format!("{action} ({name})") }
}

/// How a program ended, in words.
pub(crate) fn ended(code: Option<i32>, killed_by: Option<&str>) -> String {
    match (code, killed_by) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(by)) => format!("killed by {by}"),
        (None, None) => "killed".to_owned(),
    }
}

/// Text for commands that move a LUN, that a fault rule affected, or that failed during the story.
fn tell_command(command: &CommandEvent, t: f64) -> Option<String> {
    const MOVES: [&str; 4] =
        ["MODE SELECT", "START STOP", "SET TARGET PORT", "PERSISTENT RESERVE OUT"];
    let moves = MOVES.iter().any(|name| command.op.starts_with(name));
    let failed = t >= 0.0 && command.failed();
    if !moves && command.fault.is_none() && !failed {
        return None;
    }
    let CommandEvent { hba, port, lun, op, .. } = command;
    let mut text = format!("hba{hba}:{port} LUN {lun} {op}: {}", command.answer());
    if command.latency_s >= WORTH_TELLING {
        text.push_str(&format!(" after {:.1} s", command.latency_s));
    }
    if let Some(fault) = &command.fault {
        text.push_str(&format!("  [{fault}]"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(t: f64, action: &str) -> Event {
        let (name, action) = (action.to_owned(), action.to_owned());
        Event { t, what: What::Step { name, action, took_s: None, error: None } }
    }

    #[test]
    fn equal_events_in_a_row_become_one_line() {
        let mut timeline = Timeline::default();
        for i in 0..10 {
            timeline.push(&step(f64::from(i), "fail controller A"));
        }
        assert_eq!(timeline.lines().len(), 1);
        assert!(timeline.lines()[0].to_string().contains("×10"));
    }

    #[test]
    fn lines_are_in_the_order_of_time_and_bounded() {
        let mut timeline = Timeline::default();
        timeline.push(&step(2.0, "b"));
        timeline.push(&step(1.0, "a"));
        assert_eq!(timeline.lines()[0].text, "a");
        for i in 0..1000 {
            timeline.push(&step(3.0 + f64::from(i), &format!("step {i}")));
        }
        assert_eq!(timeline.lines().len(), MAX_LINES);
        assert_eq!(timeline.left_out(), 1002 - MAX_LINES as u64);
    }
}
