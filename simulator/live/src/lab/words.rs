//! The language's words in a lab: reading what is asked for, and saying what is done.

use std::collections::BTreeSet;

use sansim_array::{Action, FaultRule, RuleView};
use sansim_language::{
    Checked, Diagnostics, Expectation, Scenario, Step, StepAction, Vocabulary, spoken,
};
use sansim_stage::{Act, Workload};

use super::running::Running;
use crate::api::{Candidate, Given, Refused, Told, Why};

/// What can be said of a SAN that runs.
pub(super) struct Words {
    /// The scenario as it was started.
    pub(super) scenario: Scenario,
    vocabulary: Vocabulary,
    /// The fault rules that were added.
    added: Vec<FaultRule>,
    /// The names of those that were removed. The array keeps them, disarmed.
    removed: BTreeSet<String>,
}

impl Words {
    /// The words of this scenario, which is run with this seed.
    pub(super) fn new(mut scenario: Scenario, seed: u64) -> Self {
        scenario.seed = Some(seed);
        let vocabulary = Vocabulary::of(&scenario);
        Words { scenario, vocabulary, added: Vec::new(), removed: BTreeSet::new() }
    }

    /// Reads a step.
    pub(super) fn step(&mut self, given: &Given) -> Result<Read<Step>, Refused> {
        let read = read(given, spoken::step, |text| self.vocabulary.step(text))?;
        self.vocabulary.know_name(&read.value);
        Ok(read)
    }

    /// Reads a fault rule.
    pub(super) fn fault(&self, given: &Given) -> Result<Read<FaultRule>, Refused> {
        read(given, spoken::fault, |text| self.vocabulary.fault(text))
    }

    /// Reads an expectation.
    pub(super) fn expectation(&self, given: &Given) -> Result<Expectation, Refused> {
        let read = read(given, spoken::expectation, |text| self.vocabulary.expectation(text));
        read.map(|read| read.value)
    }

    /// Reads a workload.
    pub(super) fn workload(&self, given: &Given) -> Result<Workload, Refused> {
        let workload = read(given, spoken::workload, |text| self.vocabulary.workload(text))?;
        let none = "the pattern \"none\" is no I/O; stop the workload instead: sansim ctl io stop";
        workload.value.ok_or_else(|| Refused::new(Why::Invalid, none))
    }

    /// A step that does this, with the next free name.
    pub(super) fn name(&mut self, act: Act) -> Step {
        let step = Step::of(self.vocabulary.next_step_name(), StepAction::Act(act));
        self.vocabulary.know_name(&step);
        step
    }

    /// Takes note of a fault rule that was removed, if it was added before.
    pub(super) fn remove(&mut self, name: &str) {
        if self.is_added(name) {
            self.removed.insert(name.to_owned());
        }
    }

    /// Takes note that every fault rule that was added was removed.
    pub(super) fn remove_added(&mut self) {
        self.removed.extend(self.added.iter().map(|rule| rule.name.to_string()));
    }

    /// Whether a fault rule was removed, and not armed again.
    pub(super) fn is_removed(&self, rule: &RuleView) -> bool {
        !rule.armed && self.removed.contains(&*rule.name)
    }

    /// Takes note of a step that was taken.
    pub(super) fn know(&mut self, step: &Step) {
        self.vocabulary.know_step(step);
    }

    /// Takes note of the name of a fault rule that is to be added: the next one has another.
    pub(super) fn know_name_of(&mut self, rule: &FaultRule) {
        self.vocabulary.know_fault(rule);
    }

    /// Takes note of a fault rule that was added.
    pub(super) fn know_rule(&mut self, rule: &FaultRule) {
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

/// A table that was read.
pub(super) struct Read<T> {
    pub(super) value: T,
    /// What is probably not as intended, in words.
    pub(super) warning: Option<String>,
}

/// Reads a table that is given as TOML or in words, which `hear` turns into TOML.
fn read<T>(
    given: &Given,
    hear: impl FnOnce(&[String]) -> Result<String, Diagnostics>,
    read: impl FnOnce(&str) -> Result<Checked<T>, Diagnostics>,
) -> Result<Read<T>, Refused> {
    let refuse = |diagnostics: Diagnostics| Refused::new(Why::Invalid, diagnostics.to_string());
    let text = match given {
        Given::Toml(text) => text.clone(),
        Given::Words(words) => hear(words).map_err(refuse)?,
    };
    let Checked { value, warnings } = read(&text).map_err(refuse)?;
    Ok(Read { value, warning: (!warnings.is_empty()).then(|| warnings.to_string()) })
}

impl Running<'_> {
    /// Candidates for the last of these words.
    pub(super) fn complete(&self, words: &[String]) -> Vec<Candidate> {
        let (typed, before) = words.split_last().map_or(("", words), |(last, rest)| (last, rest));
        let candidates = spoken::complete(before, &self.words.vocabulary).into_iter();
        let fitting = candidates.filter(|it| it.value.starts_with(typed));
        fitting.map(|it| Candidate { value: it.value, help: it.help }).collect()
    }
}
