//! Decides expectations while the story runs, and at its end.

use std::time::Duration;

use sansim_time::Time;

use serde::Serialize;

use crate::{Deadline, Expectation, Judgement, Miss, World, expectation::Part};

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
    /// What is known to be seen instead, if the expectation is known to fail and has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptom: Option<SymptomSeen>,
    /// The explanation from the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A failure compared with the one that is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SymptomSeen {
    /// The symptom in words.
    pub text: String,
    /// Whether it is what was seen, and nothing else went wrong.
    pub seen: bool,
    /// What is different from the symptom.
    pub misses: Vec<Miss>,
}

impl ExpectationResult {
    /// The failed conditions in one line: `exactly 3 MODE SELECT to controller B, but …`. If the
    /// failure is not the one that is known, also what is different.
    pub fn complaint(&self) -> String {
        let mut complaint = sentences(&self.misses);
        if let Some(symptom) = self.symptom.as_ref().filter(|symptom| !symptom.seen) {
            let differs = sentences(&symptom.misses);
            complaint.push_str(&format!("; and this is not the failure that is known: {differs}"));
        }
        complaint
    }

    /// Whether the expectation failed in the way that is known.
    pub fn is_known(&self) -> bool {
        !self.ok && self.symptom.as_ref().is_some_and(|symptom| symptom.seen)
    }
}

fn sentences(misses: &[Miss]) -> String {
    let misses = misses.iter().map(|m| format!("expected {}, but {}", m.expected, m.seen));
    misses.collect::<Vec<_>>().join("; ")
}

/// The expectations of a run, decided or not.
pub struct Trial {
    start: Time,
    cases: Vec<Case>,
}

/// An expectation on trial.
struct Case {
    expectation: Expectation,
    result: Option<ExpectationResult>,
    /// Whether the conditions have been seen not to hold.
    lapsed: bool,
}

impl Trial {
    /// A trial of expectations whose deadlines count from `start`.
    pub fn new(expectations: Vec<Expectation>, start: Time) -> Self {
        let case = |expectation| Case { expectation, result: None, lapsed: false };
        Trial { start, cases: expectations.into_iter().map(case).collect() }
    }

    /// Evaluates the expectations on the world at `now`. Returns those that were decided by this
    /// call.
    pub fn look(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
        let elapsed = now.since(self.start);
        let undecided = self.cases.iter_mut().filter(|case| case.result.is_none());
        undecided.filter_map(|case| case.look(world, elapsed)).collect()
    }

    /// The last evaluation, after the story has ended and the workload's report has arrived.
    /// Returns those that were decided, or decided anew, by this call.
    pub fn close(&mut self, world: &World, now: Time) -> Vec<ExpectationResult> {
        let elapsed = now.since(self.start);
        self.cases.iter_mut().filter_map(|case| case.close(world, elapsed)).collect()
    }

    /// The timed expectations that are not decided.
    fn open(&self) -> impl Iterator<Item = &Expectation> {
        let open = self.cases.iter().filter(|case| case.result.is_none());
        open.map(|case| &case.expectation).filter(|expectation| is_timed(expectation))
    }

    /// Whether every timed expectation is decided.
    pub fn timed_are_decided(&self) -> bool {
        self.open().next().is_none()
    }

    /// The next deadline of an expectation.
    pub fn next_time(&self) -> Option<Time> {
        let times = self.open().filter_map(|expectation| match expectation.when {
            Deadline::By(at) | Deadline::At(at) => Some(self.start + at),
            Deadline::End | Deadline::Never => None,
        });
        times.min()
    }

    /// The result of every expectation, in the order of the scenario. Call this after
    /// [`Trial::close`].
    pub fn into_results(self) -> Vec<Option<ExpectationResult>> {
        self.cases.into_iter().map(|case| case.result).collect()
    }
}

impl Case {
    fn look(&mut self, world: &World, elapsed: Duration) -> Option<ExpectationResult> {
        let judgement = match self.expectation.when {
            Deadline::By(limit) => {
                let judgement = self.judge(world);
                (judgement.holds || elapsed >= limit).then_some(judgement)
            }
            Deadline::At(at) => (elapsed >= at).then(|| self.judge(world)),
            Deadline::Never => Some(self.judge(world))
                .filter(|judgement| judgement.holds)
                .map(|judgement| happened_after_all(&self.expectation, judgement)),
            Deadline::End => None,
        };
        judgement.map(|judgement| self.decide(judgement, world, elapsed, false))
    }

    fn close(&mut self, world: &World, elapsed: Duration) -> Option<ExpectationResult> {
        if let Some(earlier) = &self.result {
            if matches!(self.expectation.when, Deadline::By(_)) && earlier.ok {
                // Conditions on the workload's own report could not be decided at the time.
                let last = self.expectation.judge_io(world);
                return (!last.holds).then(|| self.decide(last, world, elapsed, true));
            }
            self.look_at_io_of_symptom(world);
            return None;
        }
        let judgement = self.judge(world);
        let judgement = match (self.expectation.when, judgement.holds) {
            (Deadline::Never, true) => happened_after_all(&self.expectation, judgement),
            (Deadline::Never, false) => Judgement { holds: true, misses: Vec::new(), ..judgement },
            _ => judgement,
        };
        Some(self.decide(judgement, world, elapsed, true))
    }

    /// Evaluates the conditions, with what must have been before.
    fn judge(&mut self, world: &World) -> Judgement {
        let expectation = &self.expectation;
        let mut judgement = expectation.judge(world);
        self.lapsed |= !judgement.holds;
        let awaited = expectation.after.as_ref().filter(|step| !world.is_done(step));
        let missing = match awaited {
            Some(step) => Some(format!("step {step:?} has not been done")),
            None if expectation.again && judgement.holds && !self.lapsed => {
                Some(format!("{}, as it was all the time", judgement.seen))
            }
            None => None,
        };
        if let Some(seen) = missing {
            judgement.misses =
                vec![Miss { expected: expectation.text.clone(), seen: seen.clone() }];
            judgement = Judgement { holds: false, seen, ..judgement };
        }
        judgement
    }

    /// Decides the expectation. `last` is at the end, when the totals of the workload are final.
    fn decide(
        &mut self,
        judgement: Judgement,
        world: &World,
        elapsed: Duration,
        last: bool,
    ) -> ExpectationResult {
        let expectation = &self.expectation;
        let failed = expectation.known.as_ref().filter(|_| !judgement.holds);
        let part = if last { Part::All } else { Part::WithoutIo };
        let symptom = failed.map(|known| {
            let seen = known.judge(expectation, world, part);
            SymptomSeen { text: known.text(), seen: seen.holds, misses: seen.misses }
        });
        let result = ExpectationResult {
            text: expectation.text.clone(),
            ok: judgement.holds,
            seen: judgement.seen,
            misses: judgement.misses,
            decided_at: (elapsed.as_secs_f64() * 1e6).round() / 1e6,
            known: expectation.known.as_ref().map(|known| known.because.clone()),
            symptom,
            because: Some(expectation.because.clone()).filter(|text| !text.is_empty()),
        };
        self.result.insert(result).clone()
    }

    /// Compares the totals of the workload with the symptom, which were not final when the
    /// expectation was decided.
    fn look_at_io_of_symptom(&mut self, world: &World) {
        let Some(symptom) = self.result.as_mut().and_then(|result| result.symptom.as_mut()) else {
            return;
        };
        if let Some(known) = &self.expectation.known {
            let io = known.judge(&self.expectation, world, Part::Io);
            symptom.seen &= io.holds;
            symptom.misses.extend(io.misses);
        }
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
