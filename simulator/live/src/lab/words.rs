//! The language's words in a lab: reading what is asked for, and saying what is done.

use std::collections::BTreeSet;

use sansim_array::{Action, FaultRule};
use sansim_language::{
    Checked, Diagnostics, Expectation, Scenario, Step, StepAction, Vocabulary, spoken,
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
    /// The words of this scenario, which is run with this seed.
    pub(super) fn new(mut scenario: Scenario, seed: u64) -> Self {
        scenario.seed = Some(seed);
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
        let workload = read(given, start, |text| self.vocabulary.workload(text))?;
        let none = "the pattern \"none\" is no I/O; stop the workload instead: sansim ctl io stop";
        workload.ok_or_else(|| Refused::new(Why::Invalid, none))
    }

    /// A step that does this, with a name of its own.
    pub(super) fn name(&mut self, act: Act) -> Step {
        self.named(Step::of(String::new(), StepAction::Act(act)))
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

    /// A workload on one line of TOML, as a step that starts it.
    pub(super) fn workload_toml(workload: &Workload) -> String {
        let start = StepAction::Act(Act::StartWorkload(workload.clone()));
        spoken::step_toml(&Step::of(String::new(), start))
    }

    /// How a step is told to a lab. A fault rule that is added has a command of its own.
    pub(super) fn told(step: &Step) -> Told {
        let (command, toml) = match &step.action {
            StepAction::Act(Act::Array(Action::AddRule(rule))) => {
                (format!("fault add {}", spoken::of_fault(rule)), spoken::fault_toml(rule))
            }
            _ => (spoken::of_step(step), spoken::step_toml(step)),
        };
        Told { ctl: format!("sansim ctl {command}"), toml }
    }
}

/// The words of a workload as TOML: those of the step that starts it.
fn start(words: &[String]) -> Result<String, Diagnostics> {
    let words: Vec<String> = ["start".to_owned()].into_iter().chain(words.to_vec()).collect();
    let step = spoken::step(&words)?;
    // The table is the value of `start`; its keys are those of a workload.
    let table = step.split_once('=').map_or("", |(_, table)| table.trim());
    let keys = table.strip_prefix('{').and_then(|table| table.strip_suffix('}'));
    Ok(keys.unwrap_or_default().trim().to_owned())
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
        let (typed, before) = words.split_last().map_or(("", words), |(last, rest)| (last, rest));
        let candidates = spoken::complete(before, &self.words.vocabulary).into_iter();
        let fitting = candidates.filter(|it| it.value.starts_with(typed));
        fitting.map(|it| Candidate { value: it.value, help: it.help }).collect()
    }
}
