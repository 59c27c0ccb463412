//! The story of a report without a log: what it shows comes about, and each time that it shows the maps is a turn.
//!
//! What the guest then does by itself is the finding: it fails the paths that are down, and takes back those that
//! nothing is wrong with.

use std::{collections::BTreeSet, fmt::Write, mem};

use super::comment;
use crate::{
    facts::{Facts, PathState},
    san::{self, Lun, Nexus, San, States},
};

/// When the first turn begins, in seconds of the story.
const BEGINS: u64 = 1;
/// How long a turn takes, in seconds: multipathd's longest polling interval is 20 s by default.
const SETTLED: u64 = 60;

/// How a turn leaves the SAN.
#[derive(Clone, Default)]
struct Fabric {
    /// Links that are down: nothing is well behind them.
    links: BTreeSet<Nexus>,
    /// LUNs that are gone from a path on which others are well, by their numbers.
    masked: BTreeSet<(u64, Nexus)>,
}

/// A turn of the story.
struct Turn<'s> {
    number: usize,
    san: &'s San,
    before: Fabric,
    now: Fabric,
    /// Paths that dm-multipath gives up though nothing is wrong with them.
    given_up: BTreeSet<(u64, Nexus)>,
}

/// The states of a LUN's paths in a turn.
fn states(lun: &Lun, turn: usize) -> &States {
    &lun.shown[turn.min(lun.shown.len() - 1)]
}

fn turns(san: &San) -> Vec<Turn<'_>> {
    let count = san.luns.iter().map(|lun| lun.shown.len()).max().unwrap_or_default();
    let mut before = Fabric::default();
    let mut turns = Vec::new();
    for number in 0..count {
        let now = Fabric::of(san, number);
        let (before, given_up) = (mem::replace(&mut before, now.clone()), given_up(san, number));
        turns.push(Turn { number, san, before, now, given_up });
    }
    turns
}

/// Paths that are given up in this turn and were well in the one before. One that was down is failed anyway.
fn given_up(san: &San, turn: usize) -> BTreeSet<(u64, Nexus)> {
    let mut given_up = BTreeSet::new();
    for lun in &san.luns {
        for (nexus, state) in states(lun, turn) {
            let earlier = turn.checked_sub(1).map(|before| states(lun, before)[nexus]);
            if *state == PathState::GivenUp && earlier.unwrap_or_default() == PathState::Good {
                given_up.insert((lun.number, *nexus));
            }
        }
    }
    given_up
}

impl Fabric {
    fn of(san: &San, turn: usize) -> Fabric {
        let mut fabric = Fabric::default();
        let is_well = |nexus: &Nexus| {
            let mut all = san.luns.iter().filter_map(|lun| states(lun, turn).get(nexus));
            all.any(|state| *state != PathState::Down)
        };
        for lun in &san.luns {
            for (nexus, _) in states(lun, turn).iter().filter(|it| *it.1 == PathState::Down) {
                match is_well(nexus) {
                    true => drop(fabric.masked.insert((lun.number, *nexus))),
                    false => drop(fabric.links.insert(*nexus)),
                }
            }
        }
        fabric
    }
}

impl Turn<'_> {
    fn at(&self) -> u64 {
        BEGINS + self.number as u64 * (SETTLED + 1)
    }

    fn ends(&self) -> u64 {
        self.at() + SETTLED - BEGINS
    }

    /// Whether anything of this LUN is other than it was.
    fn changes(&self, lun: &Lun) -> bool {
        let now = states(lun, self.number);
        match self.number.checked_sub(1) {
            None => now.values().any(|state| *state != PathState::Good),
            Some(before) => now != states(lun, before),
        }
    }

    /// The name of the turn's last step, which its expectations wait for.
    fn name(&self) -> String {
        self.given_up.last().map_or(format!("turn {}", self.number + 1), |it| self.failing(it))
    }

    /// The name of the step that fails a path by hand.
    fn failing(&self, (lun, (hba, port)): &(u64, Nexus)) -> String {
        format!("turn {}: hba{hba}:{port} of LUN {lun} is failed", self.number + 1)
    }

    fn down(&self, lun: &Lun) -> usize {
        states(lun, self.number).values().filter(|state| **state == PathState::Down).count()
    }

    fn steps(&self) -> Vec<(String, String)> {
        let mut steps = Vec::new();
        let link = |(hba, port): &Nexus, up| {
            format!("link = {{ port = \"{port}\", hba = {hba}, up = {up} }}")
        };
        for nexus in self.now.links.difference(&self.before.links) {
            let why =
                "Guess: this path is down in the report, and its link is what is wrong with it";
            steps.push((why.to_owned(), link(nexus, false)));
        }
        for nexus in self.before.links.difference(&self.now.links) {
            steps.push(("The path is well again in the report".to_owned(), link(nexus, true)));
        }
        self.masks(&mut steps);
        for (lun, (hba, port)) in &self.given_up {
            let why = "Guess: dm-multipath has failed this path in the report, and its checker has nothing against it, or was \
                       not asked: nothing is wrong with the path itself";
            let body = format!(
                "run = [\"dmsetup\", \"message\", \"{{map:lun{lun}}}\", \"0\", \"fail_path {{disk:hba{hba}:{port}:lun{lun}}}\"]"
            );
            steps.push((why.to_owned(), body));
        }
        steps
    }

    /// The name of a step, by its index among so many.
    fn step_name(&self, index: usize, count: usize) -> Option<String> {
        let by_hand = count - self.given_up.len();
        match index.checked_sub(by_hand) {
            Some(index) => self.given_up.iter().nth(index).map(|it| self.failing(it)),
            None => (self.number > 0 && index + 1 == count).then(|| self.name()),
        }
    }

    /// LUNs that are gone, and those that are there again. As on Fibre Channel, nobody tells the host.
    fn masks(&self, steps: &mut Vec<(String, String)>) {
        for lun in &self.san.luns {
            let of = |fabric: &Fabric| -> BTreeSet<Nexus> {
                fabric.masked.iter().filter(|it| it.0 == lun.number).map(|it| it.1).collect()
            };
            let (before, now) = (of(&self.before), of(&self.now));
            let number = lun.number;
            if before.is_empty() && now.len() == lun.paths && lun.paths > 1 {
                let why = "Guess: other LUNs are well where this one is down: the array does not show it any more";
                steps.push((
                    why.to_owned(),
                    format!("mask = {{ lun = {number} }}\nnotice = \"none\""),
                ));
                continue;
            }
            for (hba, port) in now.difference(&before) {
                let why = "Guess: other LUNs are well on this path: the array does not show this one there any more";
                let mask = format!(
                    "mask = {{ lun = {number}, hba = {hba}, port = \"{port}\" }}\nnotice = \"none\""
                );
                steps.push((why.to_owned(), mask));
            }
            for (hba, port) in before.difference(&now) {
                let unmask =
                    format!("unmask = {{ lun = {number}, hba = {hba}, port = \"{port}\" }}");
                steps.push(("The path is well again in the report".to_owned(), unmask));
            }
        }
    }

    fn write_steps(&self, out: &mut String) {
        let steps = self.steps();
        for (index, (why, body)) in steps.iter().enumerate() {
            out.push('\n');
            comment(out, why);
            out.push_str("[[step]]\n");
            if let Some(name) = self.step_name(index, steps.len()) {
                let _ = writeln!(out, "name = \"{name}\"");
            }
            let _ = write!(out, "at = \"{}s\"\n{body}\n", self.at());
        }
    }

    fn write_expectations(&self, out: &mut String, lun: &Lun) {
        let (down, ends) = (self.down(lun), self.ends());
        let given_up: Vec<_> = self.given_up.iter().filter(|it| it.0 == lun.number).collect();
        let when = match (down, self.number) {
            _ if let Some(last) = given_up.last() => {
                format!("by = \"{ends}s\"\nafter = \"{}\"\n", self.failing(last))
            }
            (0, 0) => String::new(),
            // Nothing is left, and nothing comes: it must be so at the end of the turn.
            (down, _) if down == lun.paths => format!("at = \"{ends}s\"\n"),
            (_, 0) => format!("by = \"{ends}s\"\n"),
            _ => format!("by = \"{ends}s\"\nafter = \"{}\"\n", self.name()),
        };
        let taken_back = states(lun, self.number).values().any(|it| *it == PathState::GivenUp);
        let because = match taken_back {
            true => {
                "nothing is wrong with a path that only dm-multipath has failed: it is taken back"
            }
            false => "it is so in the report",
        };
        if !given_up.is_empty() {
            let _ = write!(
                out,
                "\n[[expect]]\nby = \"{ends}s\"\nlun = {}\n{}\nbecause = \"it is so in the report\"\n",
                lun.number,
                san::failed(given_up.iter().map(|it| &it.1)),
            );
        }
        let active = lun.paths - down;
        let _ = write!(
            out,
            "\n[[expect]]\n{when}lun = {}\npaths = {{ active = {active}, failed = {down} }}\nbecause = \"{because}\"\n",
            lun.number,
        );
    }
}

/// Whether a path of the LUN is left in each turn.
fn has_a_path(lun: &Lun) -> bool {
    lun.shown.iter().all(|states| states.values().any(|state| *state != PathState::Down))
}

/// Whether a path of the LUN is left at the end.
fn ends_with_a_path(lun: &Lun) -> bool {
    lun.shown.last().is_none_or(|states| states.values().any(|state| *state != PathState::Down))
}

/// The LUN that the I/O goes to: the first with something wrong with it that has a path left, or else the first that has.
fn of_the_workload(san: &San) -> Option<&Lun> {
    let is_troubled = |lun: &&Lun| {
        lun.shown.iter().flat_map(States::values).any(|state| *state != PathState::Good)
    };
    let mut left = san.luns.iter().filter(|lun| has_a_path(lun));
    let first = left.next();
    first.into_iter().chain(left).find(is_troubled).or(first).or(san.luns.first())
}

/// The number of the workload's LUN, if it is not the first.
pub(super) fn lun(san: &San) -> Option<u64> {
    let number = of_the_workload(san)?.number;
    (san.luns.first()?.number != number).then_some(number)
}

/// Whether the report's own map fails I/O when it has no path: its features are told, and queueing is none of them.
pub(super) fn fails_without_a_path(san: &San) -> bool {
    let queues = san.map.features.iter().any(|feature| feature == "queue_if_no_path");
    san.map.handler.is_some() && !queues && !san.luns.iter().all(has_a_path)
}

/// The story's limit in seconds, if it needs one of its own.
pub(super) fn limit(san: &San) -> Option<u64> {
    let turns = turns(san);
    let last = turns.iter().rfind(|turn| !turn.steps().is_empty())?;
    Some(last.ends() + SETTLED)
}

/// The story: what is down in the report goes down, and the maps are then as they were.
pub(super) fn tell(out: &mut String, san: &San, facts: &Facts) {
    for turn in turns(san) {
        // Nothing was done: what became of it by itself, the turn before has expected.
        if turn.number > 0 && turn.steps().is_empty() {
            continue;
        }
        turn.write_steps(out);
        for lun in san.luns.iter().filter(|lun| turn.number == 0 || turn.changes(lun)) {
            turn.write_expectations(out, lun);
        }
    }
    out.push('\n');
    io(out, san, facts);
}

/// What becomes of the I/O.
fn io(out: &mut String, san: &San, facts: &Facts) {
    let Some(lun) = of_the_workload(san) else { return };
    let has_conf = facts.conf.is_some() || facts.shown_config.is_some();
    let (why, body) = if has_a_path(lun) {
        (
            "Data must be intact, and no I/O may fail while a path is left.",
            "errors = 0, corrupt = 0",
        )
    } else if has_conf || san.map.handler.is_none() {
        (
            "No path is left: whether I/O fails depends on no_path_retry; data must be intact in any case.",
            "corrupt = 0",
        )
    } else if fails_without_a_path(san) {
        (
            "No path is left, and the map does not queue: I/O fails, and does not hang.",
            "errors = \">= 1\", corrupt = 0, stuck = 0",
        )
    } else if ends_with_a_path(lun) {
        (
            "No path is left for a while, and the map queues: I/O waits, and none is lost.",
            "errors = 0, corrupt = 0",
        )
    } else {
        (
            "No path is left, and the map queues: I/O waits for ever, which is what hangs in the report.",
            "errors = 0, corrupt = 0, longest_stall = \">= 30s\"",
        )
    };
    comment(out, why);
    let _ = write!(out, "[[expect]]\nio = {{ {body} }}\n");
}
