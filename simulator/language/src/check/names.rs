//! The names of steps, fault rules and holds, and references to them.

use sansim_array::Lun;

use super::Checker;
use crate::{Diagnostic, near, value::At};

/// The maximum number of fault rules, and of steps, in a scenario.
const MAX_TABLES: usize = 1000;

/// The object that a step creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Announced {
    Nothing,
    /// The LUN with this number.
    Lun(u64),
    /// The exit code and output of a program.
    Program,
    /// The totals of a workload.
    Workload,
    /// The end of the story.
    End,
}

impl Announced {
    /// The LUN with this number, if a number is given.
    pub(crate) fn lun(given: Option<&At<u64>>) -> Self {
        given.map_or(Announced::Nothing, |lun| Announced::Lun(lun.value))
    }
}

/// The next free name of a step or a fault rule: `step-4`.
pub(crate) fn next_name(kind: &str, taken: &[String]) -> String {
    let mut numbered = (taken.len() + 1..).map(|number| format!("{kind}-{number}"));
    numbered.find(|name| !taken.contains(name)).unwrap_or_default()
}

impl Checker<'_> {
    /// Registers the names of rules and holds, before references to them are checked.
    pub(crate) fn know_rules<'f>(
        &mut self,
        names: impl Iterator<Item = Option<&'f At<String>>>,
        holds: impl Iterator<Item = &'f At<String>>,
    ) {
        self.rules = self.unique_names("fault", names.collect());
        self.hold_places = holds.map(|hold| (hold.value.clone(), hold.span.clone())).collect();
        self.holds = self.hold_places.iter().map(|(hold, _)| hold.clone()).collect();
    }

    /// Registers the names of steps and the objects that they create.
    pub(crate) fn know_steps<'f>(
        &mut self,
        names: impl Iterator<Item = Option<&'f At<String>>>,
        announced: impl Iterator<Item = Announced>,
    ) {
        self.steps = self.unique_names("step", names.collect());
        for (announced, name) in announced.zip(self.steps.clone()) {
            match announced {
                Announced::Program => self.programs.push(name),
                Announced::Workload => {
                    self.has_workload = true;
                    self.steps_start_io = true;
                }
                Announced::End => self.ends.push(name),
                Announced::Lun(lun) => {
                    self.shape.luns.extend(u16::try_from(lun).ok().map(Lun));
                }
                Announced::Nothing => {}
            }
        }
    }

    /// The names of a list of tables, with the default for each missing one. Reports duplicates.
    fn unique_names(&mut self, kind: &str, written: Vec<Option<&At<String>>>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if written.len() > MAX_TABLES {
            let problem = format!("a scenario has at most {MAX_TABLES} {kind}s");
            self.report(&(0..0), Diagnostic::error(problem));
        }
        for (index, written) in written.into_iter().enumerate() {
            let name = written.map_or(format!("{kind}-{}", index + 1), |name| name.value.clone());
            if let Some(written) = written {
                self.check_name(kind, written, &names);
            }
            names.push(name);
        }
        names
    }

    /// Reports a name that is taken, or that cannot be one.
    fn check_name(&mut self, kind: &str, written: &At<String>, taken: &[String]) {
        let name = &written.value;
        if name.trim().is_empty() || name.len() > 64 || name.contains(char::is_control) {
            let problem = format!("a {kind}'s name is 1 to 64 characters on one line");
            self.report(&written.span, Diagnostic::error(problem));
        }
        if taken.contains(name) {
            let problem = format!("there is another {kind} named {name:?}");
            let help = "names of its kind must differ; those not given are numbered from 1";
            self.report(&written.span, Diagnostic::error(problem).help(help));
        }
    }

    /// The name of one more table of a kind: the written one, or else the next free number.
    pub(crate) fn fresh_name(
        &mut self,
        kind: &str,
        written: Option<&At<String>>,
        taken: &[String],
    ) -> String {
        if let Some(written) = written {
            self.check_name(kind, written, taken);
            return written.value.clone();
        }
        next_name(kind, taken)
    }

    /// A reference by name; reports an unknown name.
    pub(crate) fn known_name(
        &mut self,
        kind: &str,
        given: &At<String>,
        known: &[String],
    ) -> String {
        if !known.contains(&given.value) {
            let problem = format!("there is no {kind} named {:?}", given.value);
            let help = match known {
                [] => format!("the scenario has no {kind}"),
                known => near::help(&given.value, known),
            };
            self.refuse(&given.span, problem, help);
        }
        given.value.clone()
    }

    pub(crate) fn rule(&mut self, given: &At<String>) -> String {
        let rules = std::mem::take(&mut self.rules);
        let name = self.known_name("fault", given, &rules);
        self.rules = rules;
        name
    }

    pub(crate) fn step(&mut self, given: &At<String>) -> String {
        let steps = std::mem::take(&mut self.steps);
        let name = self.known_name("step", given, &steps);
        self.steps = steps;
        name
    }

    /// A reference to a step after which something is looked at; reports one that ends the story.
    pub(crate) fn step_before(&mut self, given: &At<String>) -> String {
        if self.ends.contains(&given.value) {
            let problem = format!("the step {:?} ends the story", given.value);
            self.refuse(&given.span, problem, "nothing is seen after it: name another step");
        }
        self.step(given)
    }

    /// A reference to a hold; reports one that no rule names.
    pub(crate) fn hold(&mut self, given: &At<String>) -> String {
        let holds = std::mem::take(&mut self.holds);
        let name = self.known_name("hold", given, &holds);
        self.holds = holds;
        name
    }

    /// Registers that a step releases a hold.
    pub(crate) fn releases(&mut self, hold: &str) {
        self.released.insert(hold.to_owned());
    }

    /// Warns of holds that no step releases. Must be called after all steps have been checked.
    pub(crate) fn warn_of_holds(&mut self) {
        for (hold, span) in std::mem::take(&mut self.hold_places) {
            if !self.released.contains(&hold) {
                let warning = format!("nothing releases the hold {hold:?}");
                let help = "write a step with release = …, or these commands are held to the end";
                self.report(&span, Diagnostic::warning(warning).help(help));
            }
        }
    }
}
