//! Decides expectations while the story runs, and at its end.

use std::time::Duration;

use sansim_time::Time;

use serde::Serialize;

use crate::{Deadline, Expectation, Judgement, Miss, World};

/// An expectation and its result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectationResult {
    /// The expectation in words.
    pub text: String,
    /// Whether the expectation held.
    pub ok: bool,
    /// The observed values in words.
    pub seen: String,
    /// The conditions that did not hold.
    pub misses: Vec<Miss>,
    /// The story time of the decision, in seconds.
    pub decided_at: f64,
    /// The reason why the expectation is known to fail with these versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The explanation from the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl ExpectationResult {
    /// The failed conditions in one line: `exactly 3 MODE SELECT to controller B, but …`.
    pub fn complaint(&self) -> String {
        let misses = self.misses.iter().map(|m| format!("expected {}, but {}", m.expected, m.seen));
        misses.collect::<Vec<_>>().join("; ")
    }
}

/// The expectations of a run, decided or not.
pub struct Trial {
    start: Time,
    expectations: Vec<Expectation>,
    results: Vec<Option<ExpectationResult>>,
}

impl Trial {
    /// A trial of expectations whose deadlines count from `start`.
    pub fn new(expectations: Vec<Expectation>, start: Time) -> Self {
        Trial { start, results: vec![None; expectations.len()], expectations }
    }

    /// Evaluates the expectations on the world at `now`. Returns those that were decided by this
    /// call.
    pub fn look(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
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

    /// The last evaluation, after the story has ended and the workload's report has arrived.
    pub fn close(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
        let elapsed = now.since(self.start);
        let mut decided = Vec::new();
        for (expectation, result) in self.expectations.iter().zip(&mut self.results) {
            let judgement = expectation.judge(world);
            match (expectation.when, result.as_ref()) {
                (Deadline::By(_), Some(earlier)) if earlier.ok => {
                    // Conditions on the workload's own report could not be decided at the time.
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

    /// The timed expectations that are not decided.
    fn open(&self) -> impl Iterator<Item = &Expectation> {
        let pairs = self.expectations.iter().zip(&self.results);
        pairs.filter(|(e, result)| is_timed(e) && result.is_none()).map(|(e, _)| e)
    }

    /// Whether every timed expectation is decided.
    pub fn timed_are_decided(&self) -> bool {
        self.open().next().is_none()
    }

    /// The next deadline of an expectation.
    pub fn next_time(&self) -> Option<Time> {
        let undecided = self.expectations.iter().zip(&self.results).filter(|(_, r)| r.is_none());
        let times = undecided.filter_map(|(expectation, _)| match expectation.when {
            Deadline::By(at) | Deadline::At(at) => Some(self.start + at),
            Deadline::End | Deadline::Never => None,
        });
        times.min()
    }

    /// The result of every expectation, in the order of the scenario. Call this after
    /// [`Trial::close`].
    pub fn into_results(self) -> Vec<Option<ExpectationResult>> {
        self.results
    }
}

fn is_timed(expectation: &Expectation) -> bool {
    matches!(expectation.when, Deadline::By(_) | Deadline::At(_))
}

/// The judgement of a `never` expectation whose conditions hold.
fn happened_after_all(expectation: &Expectation, judgement: Judgement) -> Judgement {
    let miss = Miss { expected: expectation.text.clone(), seen: judgement.seen.clone() };
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
            text: expectation.text.clone(),
            ok: judgement.holds,
            seen: judgement.seen,
            misses: judgement.misses,
            decided_at: (elapsed.as_secs_f64() * 1e6).round() / 1e6,
            known: None,
            because,
        })
        .clone()
}
