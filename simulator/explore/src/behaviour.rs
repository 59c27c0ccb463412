//! What a story was like: which kinds of things came after one another. A story in which something is new
//! that no other one had is worth to be changed a little and told again.

use std::collections::{BTreeMap, BTreeSet};

use sansim_stage::event::{Event, PathState, What};

use crate::answer::Grade;

/// The most times of interest that are kept of a story.
const TIMES: usize = 40;

/// The behaviours of a story.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    seen: BTreeSet<u64>,
    /// The answer other than GOOD that came through a path last.
    answers: BTreeMap<String, String>,
    /// The paths that are failed.
    failed: BTreeSet<String>,
    rounds: u32,
    /// When something of interest happened, in milliseconds.
    times: BTreeSet<u64>,
}

impl Behaviour {
    /// Takes an event of the story.
    pub(crate) fn see(&mut self, event: &Event) {
        match &event.what {
            What::Command(command) => {
                let medium = command.is_io();
                if medium && !command.failed() {
                    return;
                }
                // An operation, its answer, and what the guest thought of the paths meanwhile.
                let (op, answer) = (&command.op, command.answer());
                let failed = self.failed.len().min(4);
                let rounds = self.rounds.min(7);
                self.add(&format!("{op} {answer} {failed} {rounds}"));
                if Grade::of(command) != Grade::Good {
                    self.at(event.t);
                    let path = command.path();
                    self.answers.insert(path, format!("{op} {answer}"));
                }
            }
            What::Path { path, state, group_state, .. } => {
                self.at(event.t);
                let answer = self.answers.get(path).cloned().unwrap_or_default();
                match state {
                    PathState::Active => self.failed.remove(path),
                    _ => self.failed.insert(path.clone()),
                };
                self.add(&format!("path {state:?} {group_state:?} {answer} {}", self.failed.len()));
            }
            What::PgInit { rounds, .. } => {
                self.at(event.t);
                self.rounds = *rounds;
                self.add(&format!("round {}", rounds.min(&7)));
            }
            What::Io { what, .. } => self.add(&format!("io {what}")),
            What::Log { text, .. } => self.add(&template(text)),
            What::State { .. } => self.at(event.t),
            What::Disk { action, .. } => self.add(&format!("disk {action:?}")),
            _ => {}
        }
    }

    fn at(&mut self, t: f64) {
        if self.times.len() < TIMES {
            self.times.insert((t * 1e3) as u64);
        }
    }

    fn add(&mut self, what: &str) {
        self.seen.insert(number(what));
    }

    /// The numbers of the behaviours, and the times of interest in milliseconds.
    pub(crate) fn finish(self) -> (BTreeSet<u64>, Vec<u64>) {
        (self.seen, self.times.into_iter().collect())
    }
}

/// A text with `#` for each number, hexadecimal ones included.
pub(crate) fn template(text: &str) -> String {
    let mut template = String::with_capacity(text.len());
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    for word in words {
        let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let rest = &word[core.len()..];
        match core.chars().any(|c| c.is_ascii_digit()) {
            true => template.push('#'),
            false => template.push_str(core),
        }
        template.push_str(rest);
    }
    template
}

/// A number for a behaviour.
pub(crate) fn number(what: &str) -> u64 {
    let hash = blake3::hash(what.as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_line_do_not_count() {
        let line = |sector, disk| format!("I/O error, dev {disk}, sector {sector} op 0x0:(READ)");
        assert_eq!(template(&line(4711, "sda1")), template(&line(8, "sdb2")));
        assert_ne!(template("Failing path 8:0."), template("Reinstating path 8:0."));
        assert_eq!(template("sd 0:0:1:0: [sdb] Done"), "sd #:#:#:#: [sdb] Done");
    }
}
