//! Whether something is repeated without end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sansim_stage::event::{CommandEvent, PathState};

use crate::answer::Grade;

/// How often one I/O may be sent again within a second. sd sends it six times, dm-multipath again on each path; while a
/// LUN becomes ready, the mid-layer sends it every 16 ms, for 180 s at most (scsi_cmd_runtime_exceeced).
const SAME_IO: usize = 100;
/// How often a command of a handler or a checker may be answered alike within a second.
const SAME_COMMAND: usize = 200;
/// How many lines of one kind may be logged within a second.
const LINES: usize = 200;
/// How often a path may be put into service in vain: it fails again, by what the array answers in the state in which it is.
const IN_VAIN: u32 = 2;

/// Counts what happens within a second, and what happens in vain.
#[derive(Default)]
pub(super) struct Bound {
    answers: BTreeMap<(String, String), VecDeque<f64>>,
    lines: BTreeMap<u64, VecDeque<f64>>,
    /// By path: how often it was put into service in vain, since the array is in the state in which it is.
    in_vain: BTreeMap<String, u32>,
    /// The paths that the array, and no fault rule, has refused since they last carried I/O.
    refused: BTreeSet<String>,
    /// How often any path was put into service.
    reinstated: u32,
}

impl Bound {
    /// A path has another state. What was repeated in vain, and the expectation that it is not.
    pub(super) fn path(&mut self, path: &str, state: PathState) -> Option<(String, String)> {
        if state == PathState::Active {
            self.reinstated += 1;
            return None;
        }
        if !self.refused.contains(path) {
            return None;
        }
        // The first time it has failed, nothing was in vain.
        let times =
            self.in_vain.entry(path.to_owned()).and_modify(|times| *times += 1).or_insert(0);
        if *times <= IN_VAIN {
            return None;
        }
        let seen = format!(
            "{path} was put into service {times} times in vain: in the state in which it is, the array refuses it"
        );
        let most = self.reinstated.saturating_sub(1);
        Some((seen, format!("uevents = {{ action = \"PATH_REINSTATED\", at_most = {most} }}")))
    }

    /// The array is in another state.
    pub(super) fn changed(&mut self) {
        self.in_vain.clear();
    }

    /// What is repeated, and the expectation that it is not.
    pub(super) fn command(
        &mut self,
        t: f64,
        command: &CommandEvent,
        grade: Grade,
    ) -> Option<(String, String)> {
        match grade {
            Grade::Good if command.is_io() => _ = self.refused.remove(&command.path()),
            Grade::Path if command.fault.is_none() => _ = self.refused.insert(command.path()),
            _ => {}
        }
        if grade == Grade::Good {
            return None;
        }
        let answer = command.answer();
        let medium = command.is_io();
        let most = if medium { SAME_IO } else { SAME_COMMAND };
        let key = (command.cdb.clone(), format!("{answer} {}", command.port));
        let count = within_a_second(self.answers.entry(key).or_default(), t);
        if count <= most {
            return None;
        }
        let op = &command.op;
        let seen =
            format!("{op} {} was answered {answer} {count} times within a second", command.cdb);
        let answered = match &command.sense {
            Some(sense) => format!(", sense = \"{sense}\""),
            None => String::new(),
        };
        let op = op.split('(').next().unwrap_or_default();
        Some((seen, format!("commands = [{{ op = \"{op}\"{answered}, at_most = {most} }}]")))
    }

    /// The same for a line of the log.
    pub(super) fn line(&mut self, t: f64, text: &str) -> Option<(String, String)> {
        let template = crate::behaviour::template(text);
        let key = crate::behaviour::number(&template);
        let count = within_a_second(self.lines.entry(key).or_default(), t);
        if count <= LINES {
            return None;
        }
        let part = template.split('#').max_by_key(|part| part.len()).unwrap_or_default();
        let seen = format!("{count} lines like {text:?} within a second");
        Some((seen, format!("log = {{ contains = {part:?}, at_most = {LINES} }}")))
    }
}

/// Counts this one with those of the last second.
fn within_a_second(times: &mut VecDeque<f64>, t: f64) -> usize {
    times.push_back(t);
    while times.front().is_some_and(|first| *first < t - 1.0) {
        times.pop_front();
    }
    times.len()
}
