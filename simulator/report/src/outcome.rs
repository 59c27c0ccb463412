//! The outcomes of path group initialisation, in the same terms for every handler, so that scenarios can be
//! compared and counted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use sansim_stage::event::{Change, CommandEvent, Event, GroupState, IoKind, PathState, What};

/// The operations with which device handlers make a controller take over a LUN.
const ACTIVATIONS: [&str; 3] = ["MODE SELECT", "START STOP UNIT", "SET TARGET PORT GROUPS"];

/// An outcome of a story; a story may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A LUN changed hands by a command of the guest.
    Switched,
    /// An activation command was not answered GOOD.
    Refused,
    /// A refused activation command was sent again on the same path.
    SentAgain,
    /// dm-multipath started another round of pg_init.
    Retried,
    /// dm-multipath bypassed a path group.
    Bypassed,
    /// dm-multipath failed a path.
    PathFailed,
    /// A request of the workload failed.
    IoFailed,
}

impl Outcome {
    /// All outcomes, in the order in which they usually occur.
    pub const ALL: [Outcome; 7] = [
        Outcome::Switched,
        Outcome::Refused,
        Outcome::SentAgain,
        Outcome::Retried,
        Outcome::Bypassed,
        Outcome::PathFailed,
        Outcome::IoFailed,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Switched => "switched",
            Outcome::Refused => "refused",
            Outcome::SentAgain => "sent again",
            Outcome::Retried => "retried",
            Outcome::Bypassed => "bypassed",
            Outcome::PathFailed => "path failed",
            Outcome::IoFailed => "I/O failed",
        }
    }
}

/// The outcomes of a story.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// The outcomes, in the order of [`Outcome::ALL`].
    pub seen: BTreeSet<Outcome>,
    /// The distinct answers to activation commands, in the order of their first occurrence:
    /// `MODE SELECT: 06/2a/01`.
    pub answers: Vec<String>,
}

/// Derives the outcomes of a story from its events.
#[derive(Debug, Default)]
pub struct OutcomeTracker {
    outcomes: Outcomes,
    /// For each path (HBA, port, LUN), whether its last activation command was refused.
    refused: BTreeMap<(u8, String, u16), bool>,
}

impl OutcomeTracker {
    /// Adds an event; ignores events before the story.
    pub fn event(&mut self, event: &Event) {
        if event.t < 0.0 {
            return;
        }
        match &event.what {
            What::Command(command) => self.command(command),
            What::State { change: Change::Owner { by: Some(_), .. }, .. } => {
                self.note(Outcome::Switched);
            }
            What::PgInit { rounds, .. } if *rounds > 1 => self.note(Outcome::Retried),
            What::Group { state: GroupState::Bypassed, .. } => self.note(Outcome::Bypassed),
            What::Path { state: PathState::Failed, .. } => self.note(Outcome::PathFailed),
            What::Io { what: IoKind::Error, .. } => self.note(Outcome::IoFailed),
            _ => {}
        }
    }

    /// The outcomes so far.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    fn command(&mut self, command: &CommandEvent) {
        let family = command.op.split_once('(').map_or(command.op.as_str(), |(family, _)| family);
        if !ACTIVATIONS.contains(&family) {
            return;
        }
        let path = (command.hba, command.port.clone(), command.lun);
        if self.refused.insert(path, command.failed()) == Some(true) {
            self.note(Outcome::SentAgain);
        }
        if command.failed() {
            self.note(Outcome::Refused);
        }
        let answer = format!("{family}: {}", command.answer());
        if !self.outcomes.answers.contains(&answer) {
            self.outcomes.answers.push(answer);
        }
    }

    fn note(&mut self, outcome: Outcome) {
        self.outcomes.seen.insert(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{command, told};

    fn mode_select(t: f64, port: &str, sense: Option<&str>) -> Event {
        told(t, command("MODE SELECT(10)", port, sense))
    }

    fn outcomes(events: &[Event]) -> Outcomes {
        let mut tracker = OutcomeTracker::default();
        events.iter().for_each(|event| tracker.event(event));
        tracker.outcomes().clone()
    }

    #[test]
    fn a_command_that_is_refused_and_comes_again_on_its_path_was_sent_again() {
        let sense = Some("06/2a/01");
        let story = [mode_select(1.0, "B0", sense), mode_select(1.1, "B0", None)];
        let seen = outcomes(&story);
        assert_eq!(seen.seen, [Outcome::Refused, Outcome::SentAgain].into());
        assert_eq!(seen.answers, ["MODE SELECT: 06/2a/01", "MODE SELECT: GOOD"]);
        let elsewhere = [mode_select(1.0, "B0", sense), mode_select(1.1, "B1", None)];
        assert_eq!(outcomes(&elsewhere).seen, [Outcome::Refused].into());
    }

    #[test]
    fn discovery_does_not_count_and_a_first_round_is_no_retry() {
        assert_eq!(outcomes(&[mode_select(-0.1, "B0", Some("06/2a/01"))]), Outcomes::default());
        let round = |rounds| Event { t: 1.0, what: What::PgInit { map: "m".into(), rounds } };
        assert_eq!(outcomes(&[round(1)]).seen, [].into());
        assert_eq!(outcomes(&[round(1), round(2)]).seen, [Outcome::Retried].into());
    }
}
