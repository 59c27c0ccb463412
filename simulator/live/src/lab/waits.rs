//! Waiting for an expectation.

use std::{sync::Arc, time::Duration};

use sansim_stage::{Condition, Deadline, ExpectationResult, Trial};
use sansim_time::Time;

use super::running::Running;
use crate::{
    api::{Expected, Given},
    handle::Answer,
};

/// Those who wait for an expectation.
#[derive(Default)]
pub(super) struct Waits(Vec<Waiting>);

struct Waiting {
    trial: Trial,
    /// When an expectation of something that must never be has held.
    ends: Time,
    answer: Answer<Expected>,
}

impl Waits {
    /// When the next of them is decided at the latest.
    pub(super) fn next_time(&self) -> Option<Time> {
        self.0.iter().map(|waiting| waiting.ends).min()
    }
}

impl Running<'_> {
    /// Waits for an expectation, for `at_most` of story time.
    pub(super) fn wait(&mut self, given: &Given, at_most: Duration, answer: Answer<Expected>) {
        let expectation = match self.words.expectation(given) {
            Ok(expectation) => expectation,
            Err(refused) => return drop(answer.send(Err(refused))),
        };
        let conditions = &expectation.conditions;
        self.stage.count(conditions.iter().filter_map(|condition| condition.counted()));
        let when = match expectation.when {
            Deadline::Never => Deadline::Never,
            _ => Deadline::By(at_most),
        };
        let conditions = conditions.iter().map(|it| Arc::clone(it) as Arc<dyn Condition>);
        let judged = sansim_stage::Expectation {
            when,
            conditions: conditions.collect(),
            because: expectation.because.clone(),
            text: expectation.to_string(),
            after: expectation.after.clone(),
            again: expectation.again,
            known: None,
        };
        let now = self.stage.now();
        let trial = Trial::new(vec![judged], now);
        self.waits.0.push(Waiting { trial, ends: now + at_most, answer });
    }

    /// Answers those whose expectation is decided.
    pub(super) fn decide(&mut self, now: Time) {
        if self.waits.0.is_empty() {
            return;
        }
        self.stage.count_rules();
        let t = self.t();
        for mut waiting in std::mem::take(&mut self.waits.0) {
            let mut decided = waiting.trial.look(self.stage.world(), now);
            if decided.is_empty() && now >= waiting.ends {
                decided = waiting.trial.close(self.stage.world(), now);
            }
            match decided.pop() {
                Some(result) => drop(waiting.answer.send(Ok(expected(result, t)))),
                None if waiting.answer.is_closed() => {}
                None => self.waits.0.push(waiting),
            }
        }
    }
}

fn expected(result: ExpectationResult, t: f64) -> Expected {
    let seen = if result.ok { result.seen } else { result.complaint() };
    Expected { text: result.text, ok: result.ok, seen, t }
}
