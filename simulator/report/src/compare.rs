//! Compares two runs: what they have in common, the first difference, and what followed.
//!
//! The runs are aligned by what happened, not by when: two kernels take different times for the same. Only what
//! tells something is aligned (`happenings`): successful polls and the workload's successful commands are left out,
//! apart from the first through each controller.

mod happenings;
mod page;
mod tables;
mod text;

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

pub use happenings::Happening;
pub use page::page;
pub use tables::Row;

use crate::past::Past;

/// The most happenings of a run that are aligned.
const MOST: usize = 20_000;
/// How long the alignment may take; it is coarser then.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);
/// How many happenings in common are shown before the first difference.
const BEFORE: usize = 4;
/// How many happenings of each run are shown from the first difference on.
const AFTER: usize = 8;
/// How many further lines of the log of each run are shown.
const LINES: usize = 6;

/// Two runs, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The story's name.
    pub story: String,
    /// The names of the runs' directories.
    pub runs: [String; 2],
    /// What is the same or not, by name.
    pub facts: Vec<Row>,
    /// How many happenings the runs have, and how many of them are in common.
    pub happenings: [usize; 2],
    /// How many of them are aligned with one of the other run.
    pub in_common: usize,
    /// The last happenings in common before the first difference, with the times of both.
    pub before: Vec<[Happening; 2]>,
    /// What each run did at the first difference and after it; empty if nothing differs.
    pub first_difference: [Vec<Happening>; 2],
    /// Expectations with another result.
    pub expectations: Vec<Row>,
    /// Lines of the kernel's log that only one of the runs has, the first ones.
    pub log: [Vec<Happening>; 2],
}

impl Comparison {
    /// Compares two runs.
    pub fn of(a: &Past, b: &Past) -> Comparison {
        let all = [happenings::of(&a.events, MOST), happenings::of(&b.events, MOST)];
        let keys = |of: &[Happening]| of.iter().map(|it| it.key.clone()).collect::<Vec<_>>();
        let (of_a, of_b) = (keys(&all[0]), keys(&all[1]));
        let deadline = std::time::Instant::now() + DEADLINE;
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &of_a, &of_b, Some(deadline));
        let in_common = ops.iter().map(|op| match op {
            DiffOp::Equal { len, .. } => *len,
            _ => 0,
        });
        let in_common = in_common.sum();
        let first = ops.iter().find(|op| !matches!(op, DiffOp::Equal { .. }));
        let at = first.map(|op| [op.old_range().start, op.new_range().start]);
        let ends = at.unwrap_or([all[0].len(), all[1].len()]);
        let from = ends[0].min(ends[1]).min(BEFORE);
        let before = (1..=from)
            .rev()
            .map(|back| [all[0][ends[0] - back].clone(), all[1][ends[1] - back].clone()]);
        let after = |run: usize| match at {
            Some(at) => all[run][at[run]..].iter().take(AFTER).cloned().collect(),
            None => Vec::new(),
        };
        Comparison {
            story: a.story().to_owned(),
            runs: [a.name.clone(), b.name.clone()],
            facts: tables::facts(a, b),
            happenings: [all[0].len(), all[1].len()],
            in_common,
            before: before.collect(),
            first_difference: [after(0), after(1)],
            expectations: tables::expectations(a, b),
            log: happenings::log_of_one(&a.events, &b.events, LINES),
        }
    }

    /// Whether anything that tells something differs.
    pub fn differs(&self) -> bool {
        self.first_difference.iter().any(|it| !it.is_empty()) || !self.expectations.is_empty()
    }

    /// Both verdicts.
    pub fn verdicts(&self) -> [&str; 2] {
        let row = self.facts.iter().find(|row| row.name == tables::VERDICT);
        row.map_or(["", ""], |row| [&row.values[0], &row.values[1]])
    }
}

#[cfg(test)]
mod tests;
