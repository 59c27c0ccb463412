//! Deciding about expectations while the story goes on, and at its end.

use std::time::Duration;

use sansim_time::Time;

use crate::{
    expect::{Judgement, Miss, World},
    lang::plan::{Deadline, Expectation, Versions},
    verdict::ExpectationResult,
};

/// The expectations of a story, decided or not.
pub(super) struct Trial<'s> {
    start: Time,
    expectations: &'s [Expectation],
    results: Vec<Option<ExpectationResult>>,
}

impl<'s> Trial<'s> {
    /// The trial of a story that begins at `start`.
    pub(super) fn new(expectations: &'s [Expectation], start: Time) -> Self {
        Trial { start, expectations, results: vec![None; expectations.len()] }
    }

    /// Looks at the world at `now`. Returns the expectations that were decided by this look.
    pub(super) fn look(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
        let elapsed = now.since(self.start);
        let mut decided = Vec::new();
        for (expectation, result) in self.expectations.iter().zip(&mut self.results) {
            if result.is_some() {
                continue;
            }
            let judgement = match expectation.when {
                Deadline::By(limit) => {
                    let judgement = expectation.judge(world);
                    (judgement.holds || elapsed >= limit).then_some(judgement)
                }
                Deadline::At(at) => (elapsed >= at).then(|| expectation.judge(world)),
                Deadline::Never => Some(expectation.judge(world))
                    .filter(|judgement| judgement.holds)
                    .map(|judgement| happened_after_all(expectation, judgement)),
                Deadline::End => None,
            };
            if let Some(judgement) = judgement {
                decided.push(decide(expectation, result, judgement, elapsed));
            }
        }
        decided
    }

    /// The last look, when the story is over and the workload's report is in.
    pub(super) fn close(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
        let elapsed = now.since(self.start);
        let mut decided = Vec::new();
        for (expectation, result) in self.expectations.iter().zip(&mut self.results) {
            let judgement = expectation.judge(world);
            match (expectation.when, result.as_ref()) {
                (Deadline::By(_), Some(earlier)) if earlier.ok => {
                    // What only the workload's own report can tell was not known at the time.
                    let last = expectation.judge_io(world);
                    if !last.holds {
                        decided.push(decide(expectation, result, last, elapsed));
                    }
                }
                (_, Some(_)) => {}
                (Deadline::Never, None) => {
                    let judgement = match judgement.holds {
                        true => happened_after_all(expectation, judgement),
                        false => Judgement { holds: true, misses: Vec::new(), ..judgement },
                    };
                    decided.push(decide(expectation, result, judgement, elapsed));
                }
                (_, None) => decided.push(decide(expectation, result, judgement, elapsed)),
            }
        }
        decided
    }

    /// The expectations that have a time and are not decided.
    pub(super) fn open(&self) -> impl Iterator<Item = &'s Expectation> {
        let pairs = self.expectations.iter().zip(&self.results);
        pairs.filter(|(e, result)| is_timed(e) && result.is_none()).map(|(e, _)| e)
    }

    /// Whether every expectation that has a time is decided.
    pub(super) fn timed_are_decided(&self) -> bool {
        self.open().next().is_none()
    }

    /// The next time at which an expectation must be decided.
    pub(super) fn next_time(&self) -> Option<Time> {
        let undecided = self.expectations.iter().zip(&self.results).filter(|(_, r)| r.is_none());
        let times = undecided.filter_map(|(expectation, _)| match expectation.when {
            Deadline::By(at) | Deadline::At(at) => Some(self.start + at),
            Deadline::End | Deadline::Never => None,
        });
        times.min()
    }

    /// Every expectation with what became of it. Call after [`Trial::close`].
    pub(super) fn into_results(self, versions: &Versions) -> Vec<ExpectationResult> {
        let pairs = self.expectations.iter().zip(self.results);
        pairs
            .filter_map(|(expectation, result)| {
                let mut result = result?;
                result.known = expectation.known_on(versions).map(|known| known.because.clone());
                Some(result)
            })
            .collect()
    }
}

fn is_timed(expectation: &Expectation) -> bool {
    matches!(expectation.when, Deadline::By(_) | Deadline::At(_))
}

/// What must never be so, is so.
fn happened_after_all(expectation: &Expectation, judgement: Judgement) -> Judgement {
    let miss = Miss { expected: expectation.to_string(), seen: judgement.seen.clone() };
    Judgement { holds: false, misses: vec![miss], ..judgement }
}

fn decide(
    expectation: &Expectation,
    result: &mut Option<ExpectationResult>,
    judgement: Judgement,
    elapsed: Duration,
) -> ExpectationResult {
    let because = Some(expectation.because.clone()).filter(|text| !text.is_empty());
    result
        .insert(ExpectationResult {
            text: expectation.to_string(),
            ok: judgement.holds,
            seen: judgement.seen,
            misses: judgement.misses,
            decided_at: (elapsed.as_secs_f64() * 1e6).round() / 1e6,
            known: None,
            because,
        })
        .clone()
}
