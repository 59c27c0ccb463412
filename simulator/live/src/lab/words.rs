//! The language's words in a lab: reading what is asked for, and saying what is done.

use std::{collections::BTreeSet, time::Duration};

use sansim_array::FaultRule;
use sansim_language::{
    Checked, Diagnostics, Expectation, Scenario, Step, StepAction, Trigger, Vocabulary,
};
use sansim_stage::{Act, Workload};

use super::driver::Driver;
use crate::api::{Candidate, Given, Refused, Told, Why};

/// What can be said of a SAN that runs.
pub(super) struct Words {
    /// The scenario as it was started.
    pub(super) scenario: Scenario,
    vocabulary: Vocabulary,
    /// The names of all acts.
    names: BTreeSet<String>,
    number: u64,
    /// The fault rules that were added.
    pub(super) added: Vec<FaultRule>,
}

impl Words {
    pub(super) fn new(scenario: Scenario) -> Self {
        let vocabulary = Vocabulary::of(&scenario);
        let names = scenario.steps.iter().map(|step| step.name.clone()).collect();
        Words { scenario, vocabulary, names, number: 0, added: Vec::new() }
    }

    /// Reads a step.
    pub(super) fn step(&mut self, given: &Given) -> Result<Step, Refused> {
        let step = read(given, spoken::step, |text| self.vocabulary.step(text))?;
        Ok(self.named(step))
    }

    /// Reads a fault rule.
    pub(super) fn fault(&self, given: &Given) -> Result<FaultRule, Refused> {
        read(given, spoken::fault, |text| self.vocabulary.fault(text))
    }

    /// Reads an expectation.
    pub(super) fn expectation(&self, given: &Given) -> Result<Expectation, Refused> {
        read(given, spoken::expectation, |text| self.vocabulary.expectation(text))
    }

    /// Reads a workload.
    pub(super) fn workload(&self, given: &Given) -> Result<Workload, Refused> {
        let workload = read(given, spoken::workload, |text| self.vocabulary.workload(text))?;
        let none = "the pattern \"none\" is no I/O; stop the workload instead: sansim ctl io stop";
        workload.ok_or_else(|| Refused::new(Why::Invalid, none))
    }

    /// A step that does this, with a name of its own.
    pub(super) fn name(&mut self, act: Act) -> Step {
        let action = StepAction::Act(act);
        let words = spoken::in_words(&action);
        let trigger = Trigger::At(Duration::ZERO);
        self.named(Step { name: String::new(), trigger, action, words, caption: None })
    }

    /// The step with a name that no other has: its own, or else the next.
    fn named(&mut self, mut step: Step) -> Step {
        let own = !step.name.is_empty() && !step.name.starts_with("step-");
        while !own || self.names.contains(&step.name) {
            self.number += 1;
            step.name = format!("act-{}", self.number);
            if !self.names.contains(&step.name) {
                break;
            }
        }
        self.names.insert(step.name.clone());
        step
    }

    /// Takes note of a step that was taken.
    pub(super) fn know(&mut self, step: &Step) {
        self.vocabulary.know_step(step);
    }

    /// Takes note of a fault rule that was added.
    pub(super) fn know_rule(&mut self, rule: &FaultRule) {
        self.vocabulary.know_fault(rule);
        self.added.push(rule.clone());
    }

    /// Whether there is a fault rule of this name.
    pub(super) fn is_rule(&self, name: &str) -> bool {
        self.vocabulary.rules().any(|rule| rule == name)
    }

    /// Whether a fault rule was added while the lab ran.
    pub(super) fn is_added(&self, name: &str) -> bool {
        self.added.iter().any(|rule| *rule.name == *name)
    }

    /// A fault rule on one line of TOML.
    pub(super) fn rule_toml(&self, name: &str) -> String {
        let mut rules = self.scenario.setup.faults.iter().chain(&self.added);
        let rule = rules.find(|rule| *rule.name == *name);
        rule.map_or_else(String::new, spoken::fault_toml)
    }

    /// A workload on one line of TOML.
    pub(super) fn workload_toml(workload: &Workload) -> String {
        spoken::workload_toml(workload)
    }

    /// How an act is told to a lab. A fault rule that is added has a command of its own.
    pub(super) fn told(action: &StepAction) -> Told {
        let command = spoken::of_action(action);
        Told { ctl: format!("sansim ctl {command}"), toml: spoken::action_toml(action) }
    }
}

/// Reads a table that is given as TOML or in words, which `hear` turns into TOML.
fn read<T>(
    given: &Given,
    hear: impl FnOnce(&[String]) -> Result<String, Diagnostics>,
    read: impl FnOnce(&str) -> Result<Checked<T>, Diagnostics>,
) -> Result<T, Refused> {
    let refuse = |diagnostics: Diagnostics| Refused::new(Why::Invalid, diagnostics.to_string());
    let text = match given {
        Given::Toml(text) => text.clone(),
        Given::Words(words) => hear(words).map_err(refuse)?,
    };
    read(&text).map(|checked| checked.value).map_err(refuse)
}

impl Driver<'_> {
    /// Candidates for the last of these words.
    pub(super) fn complete(&self, words: &[String]) -> Vec<Candidate> {
        let candidates = spoken::complete(words, &self.words.vocabulary).into_iter();
        candidates.map(|it| Candidate { value: it.value, help: it.help }).collect()
    }
}

mod spoken {
    use super::*;
    pub(super) fn step(_: &[String]) -> Result<String, Diagnostics> {
        Ok(String::new())
    }
    pub(super) fn fault(_: &[String]) -> Result<String, Diagnostics> {
        Ok(String::new())
    }
    pub(super) fn expectation(_: &[String]) -> Result<String, Diagnostics> {
        Ok(String::new())
    }
    pub(super) fn workload(_: &[String]) -> Result<String, Diagnostics> {
        Ok(String::new())
    }
    pub(super) fn fault_toml(_: &FaultRule) -> String {
        String::new()
    }
    pub(super) fn workload_toml(_: &Workload) -> String {
        String::new()
    }
    pub(super) fn of_action(_: &StepAction) -> String {
        String::new()
    }
    pub(super) fn action_toml(_: &StepAction) -> String {
        String::new()
    }
    pub(super) fn in_words(a: &StepAction) -> String {
        format!("{a:?}")
    }
    pub(super) fn complete(_: &[String], _: &Vocabulary) -> Vec<Candidate> {
        Vec::new()
    }
}
