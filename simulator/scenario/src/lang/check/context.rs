//! What the checks of all tables share: the diagnostics, and what there is to refer to.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
    time::Duration,
};

use sansim_array::{ControllerId, HbaId, Lun, PortId};

use super::shape::Shape;
use crate::lang::{
    Diagnostic, Diagnostics,
    file::{File, Name},
    near,
    plan::{Array, Ending, Hba, PathPattern, Workload},
    source::Sources,
    value::{At, TimeSpan},
};

/// The highest number that TOML has; as an upper limit, none.
pub(super) const NO_LIMIT: u64 = i64::MAX as u64;

/// The most faults, and the most steps, of a scenario.
const MAX_TABLES: usize = 1000;

/// The checks of one scenario.
pub(super) struct Checker<'s> {
    sources: &'s Sources,
    diagnostics: Diagnostics,
    /// What the SAN is made of.
    pub(super) shape: Shape,
    /// Names of the fault rules, in order.
    pub(super) rules: Vec<String>,
    /// Names of the holds.
    pub(super) holds: Vec<String>,
    /// Each hold with the place where a rule names it.
    pub(super) hold_places: Vec<(String, Range<usize>)>,
    /// Names of the steps, in order.
    pub(super) steps: Vec<String>,
    /// Names of the steps that run a program.
    pub(super) programs: Vec<String>,
    /// Whether there is a workload.
    pub(super) has_workload: bool,
    /// The story is over by then.
    end: Duration,
}

impl<'s> Checker<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Checker {
            sources,
            diagnostics: Diagnostics::default(),
            shape: Shape::default(),
            rules: Vec::new(),
            holds: Vec::new(),
            hold_places: Vec::new(),
            steps: Vec::new(),
            programs: Vec::new(),
            has_workload: false,
            end: Duration::MAX,
        }
    }

    pub(super) fn know_times(&mut self, limit: Duration, ending: Ending) {
        self.end = match ending {
            Ending::After(end) => end.min(limit),
            Ending::Settled(_) => limit,
        };
    }

    pub(super) fn know_array(&mut self, array: &Array) {
        self.shape.controllers = array.controllers;
        self.shape.ports = array.ports_per_controller;
        self.shape.luns = array.luns.iter().map(|config| config.lun).collect();
        self.shape.main_lun = self.shape.luns.first().copied().unwrap_or(Lun(0));
    }

    pub(super) fn know_hbas(&mut self, hbas: &[Hba]) {
        self.shape.hbas = hbas.to_vec();
    }

    pub(super) fn know_workload(&mut self, workload: Option<&Workload>) {
        self.has_workload = workload.is_some();
        if let Some(workload) = workload {
            self.shape.main_lun = workload.lun;
        }
    }

    /// Takes down what rules, steps and LUNs there are before any reference to one is checked.
    pub(super) fn know_names(&mut self, file: &File) {
        let rules = file.fault.iter().map(|fault| fault.name.as_ref());
        self.rules = self.unique_names("fault", rules.collect());
        let steps = file.step.iter().map(|step| step.name.as_ref());
        self.steps = self.unique_names("step", steps.collect());
        let held = file.fault.iter().filter_map(|fault| fault.then.hold.as_ref());
        self.hold_places = held.map(|hold| (hold.value.clone(), hold.span.clone())).collect();
        self.holds = self.hold_places.iter().map(|(hold, _)| hold.clone()).collect();
        let programs = file.step.iter().zip(&self.steps).filter(|(step, _)| step.run.is_some());
        self.programs = programs.map(|(_, name)| name.clone()).collect();
        let mapped = file.step.iter().filter_map(|step| step.map.as_ref()?.lun.as_ref());
        let remapped = file.step.iter().filter_map(|step| Some(&step.remap.as_ref()?.to));
        for lun in mapped.chain(remapped) {
            self.shape.luns.extend(u16::try_from(lun.value).ok().map(Lun));
        }
    }

    /// The names of a list of tables, each with its default, none of them twice.
    fn unique_names(&mut self, kind: &str, written: Vec<Option<&At<String>>>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if written.len() > MAX_TABLES {
            let problem = format!("a scenario has at most {MAX_TABLES} {kind}s");
            self.report(&(0..0), Diagnostic::error(problem));
        }
        for (index, written) in written.into_iter().enumerate() {
            let name = written.map_or(format!("{kind}-{}", index + 1), |name| name.value.clone());
            if let Some(written) = written {
                if name.trim().is_empty() || name.len() > 64 || name.contains(char::is_control) {
                    let problem = format!("a {kind}'s name is 1 to 64 characters on one line");
                    self.report(&written.span, Diagnostic::error(problem));
                }
                if names.contains(&name) {
                    let problem = format!("there is another {kind} named {name:?}");
                    let help = "names of its kind must differ; those not given are numbered from 1";
                    self.report(&written.span, Diagnostic::error(problem).help(help));
                }
            }
            names.push(name);
        }
        names
    }

    /// Notes a mistake or an oddity at a place.
    pub(super) fn report(&mut self, span: &Range<usize>, diagnostic: Diagnostic) {
        self.diagnostics.push(self.sources.place(diagnostic, span));
    }

    /// Notes a mistake with what would have been accepted.
    pub(super) fn refuse(
        &mut self,
        span: &Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(span, Diagnostic::error(problem).help(help));
    }

    pub(super) fn into_diagnostics(mut self) -> Diagnostics {
        self.diagnostics.sort();
        self.diagnostics
    }

    /// A duration, or its default.
    pub(super) fn span_or(&self, given: Option<&Name<TimeSpan>>, default: Duration) -> Duration {
        given.map_or(default, |span| span.0.0)
    }

    /// A time of the story, which must not be after its end.
    pub(super) fn story_time(&mut self, given: &Name<TimeSpan>) -> Duration {
        let time = given.0.0;
        if time > self.end {
            let problem = format!("the story is over after {}", TimeSpan(self.end));
            self.refuse(&given.span, problem, "raise `limit` (or `run_for`)");
        }
        time
    }

    /// A number within limits, or its default.
    pub(super) fn number(
        &mut self,
        given: Option<&At<u64>>,
        range: RangeInclusive<u64>,
        default: u64,
        what: &str,
    ) -> u64 {
        let Some(given) = given else { return default };
        if range.contains(&given.value) {
            return given.value;
        }
        let (low, high) = range.into_inner();
        let label = match high {
            NO_LIMIT => format!("{low} or more"),
            _ => format!("{low} to {high}"),
        };
        let problem = format!("{what} is out of range");
        self.report(&given.span, Diagnostic::error(problem).label(label));
        default
    }

    pub(super) fn controller(&mut self, given: &Name<ControllerId>) -> ControllerId {
        self.known_controller(given.0, &given.span);
        given.0
    }

    pub(super) fn known_controller(&mut self, controller: ControllerId, span: &Range<usize>) {
        if controller.index() >= usize::from(self.shape.controllers) {
            let problem = format!("the array has no controller {controller}");
            self.refuse(span, problem, self.shape.controllers_in_words());
        }
    }

    pub(super) fn port(&mut self, given: &Name<PortId>) -> PortId {
        self.known_port(given.0, &given.span);
        given.0
    }

    pub(super) fn known_port(&mut self, port: PortId, span: &Range<usize>) {
        if port.controller.index() >= usize::from(self.shape.controllers)
            || port.index >= self.shape.ports
        {
            let problem = format!("the array has no port {port}");
            self.refuse(span, problem, self.shape.ports_in_words());
        }
    }

    pub(super) fn hba(&mut self, given: &At<u64>) -> HbaId {
        let count = self.shape.hbas.len();
        match u8::try_from(given.value) {
            Ok(index) if usize::from(index) < count => HbaId(index),
            _ => {
                let problem = format!("there is no HBA {}", given.value);
                let help =
                    format!("the guest has {count}, counted from 0; [hba] count = … sets it");
                self.refuse(&given.span, problem, help);
                HbaId(0)
            }
        }
    }

    pub(super) fn lun(&mut self, given: &At<u64>) -> Lun {
        match u16::try_from(given.value).ok().map(Lun) {
            Some(lun) if self.shape.luns.contains(&lun) => lun,
            _ => {
                let problem = format!("the array has no LUN {}", given.value);
                self.refuse(&given.span, problem, self.shape.luns_in_words());
                self.shape.main_lun
            }
        }
    }

    pub(super) fn lun_or_main(&mut self, given: Option<&At<u64>>) -> Lun {
        given.map_or(self.shape.main_lun, |given| self.lun(given))
    }

    /// Paths, of which there must be at least one.
    pub(super) fn path(&mut self, path: PathPattern, span: &Range<usize>) -> PathPattern {
        self.known_port(path.port, span);
        if let Some(hba) = path.hba
            && usize::from(hba.0) >= self.shape.hbas.len()
        {
            let help = format!("the guest has {}, counted from 0", self.shape.hbas.len());
            self.refuse(span, format!("there is no HBA {}", hba.0), help);
        } else if !self.shape.sees(path) && path.port.index < self.shape.ports {
            let problem = format!("no path goes over {path}");
            self.refuse(span, problem, self.shape.targets_in_words());
        }
        path
    }

    /// A reference to something by name.
    pub(super) fn known_name(
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

    pub(super) fn rule(&mut self, given: &At<String>) -> String {
        let rules = std::mem::take(&mut self.rules);
        let name = self.known_name("fault", given, &rules);
        self.rules = rules;
        name
    }

    pub(super) fn step(&mut self, given: &At<String>) -> String {
        let steps = std::mem::take(&mut self.steps);
        let name = self.known_name("step", given, &steps);
        self.steps = steps;
        name
    }

    /// Exactly one of several keys that exclude each other, by name and whether it is there.
    pub(super) fn exclusive(&mut self, keys: &[(&str, bool)], span: &Range<usize>) {
        let given: Vec<_> = keys.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
        if let [first, second, ..] = given[..] {
            let problem = format!("`{first}` and `{second}` exclude each other");
            self.refuse(span, problem, "keep one of them");
        }
    }
}

/// A list in words: `A, B and C`.
pub(super) fn in_words<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
