//! Shared state and helpers for the validation of all tables.

mod shape;

use std::{
    collections::BTreeSet,
    fmt,
    ops::{Range, RangeInclusive},
    sync::Arc,
    time::Duration,
};

use regex::Regex;
use sansim_array::{ControllerId, HbaId, Lun, NexusPattern, PortId, Ports, Sense, Shown};
use sansim_stage::{Array, Hba, PathPattern, Piece, Placeholder, TextMatch, Workload, pieces};
pub(crate) use shape::{ArrayShape, Shape};

use crate::{
    Diagnostic, Diagnostics,
    form::{Name, Problems},
    near,
    value::{At, TimeSpan},
};

/// The largest integer of TOML, as an upper limit that every number satisfies.
pub(crate) const NO_LIMIT: u64 = i64::MAX as u64;

/// Texts that have nothing in common: a regular expression that matches all of them matches anything.
const SAMPLES: [&str; 3] = ["", "\u{1}", "q 7:\n_"];

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

/// The validation of a scenario.
pub(crate) struct Checker<'s> {
    problems: Problems<'s>,
    /// The controllers, ports, HBAs and LUNs that can be referred to.
    pub(crate) shape: Shape,
    /// The names of the fault rules, in the order of the file.
    pub(crate) rules: Vec<String>,
    /// The names of the holds that fault rules use.
    pub(crate) holds: Vec<String>,
    /// Each hold with the position in a rule that names it.
    hold_places: Vec<(String, Range<usize>)>,
    /// Names of the holds that a step releases.
    released: BTreeSet<String>,
    /// The names of the steps, in the order of the file.
    pub(crate) steps: Vec<String>,
    /// Names of the steps that run a program.
    pub(crate) programs: Vec<String>,
    /// Names of the steps that end the story.
    ends: Vec<String>,
    /// Whether there is a workload.
    pub(crate) has_workload: bool,
    /// When the only workload starts; `None` if there is none, or a step may start one.
    pub(crate) io_begins: Option<Duration>,
    steps_start_io: bool,
    /// The latest end of the story.
    end: Duration,
    /// When a step ends the story, if one does at a known time.
    ended: Option<Duration>,
}

/// The next free name of a step or a fault rule: `step-4`.
pub(crate) fn next_name(kind: &str, taken: &[String]) -> String {
    let mut numbered = (taken.len() + 1..).map(|number| format!("{kind}-{number}"));
    numbered.find(|name| !taken.contains(name)).unwrap_or_default()
}

impl<'s> Checker<'s> {
    pub(crate) fn new(problems: Problems<'s>) -> Self {
        Checker {
            problems,
            shape: Shape::default(),
            rules: Vec::new(),
            holds: Vec::new(),
            hold_places: Vec::new(),
            released: BTreeSet::new(),
            steps: Vec::new(),
            programs: Vec::new(),
            ends: Vec::new(),
            has_workload: false,
            io_begins: None,
            steps_start_io: false,
            end: Duration::MAX,
            ended: None,
        }
    }

    /// For a table whose meaning is wanted, whichever SAN it is for. Reports mean nothing.
    pub(crate) fn of_any_san(problems: Problems<'s>) -> Self {
        Checker { shape: Shape::any(), ..Checker::new(problems) }
    }

    /// Warns of a bug that the file plants in `what`.
    pub(crate) fn warn_of_canary(&mut self, span: &Range<usize>, what: &str, bug: &str) {
        let planted = format!("this {what} has a bug: {bug:?} is planted");
        let help = "remove `canary`, unless this is to test what finds bugs";
        self.report(span, Diagnostic::warning(planted).help(help));
    }

    /// Sets the latest end of the story.
    pub(crate) fn know_end(&mut self, end: Duration) {
        self.end = end;
    }

    pub(crate) fn know_arrays(&mut self, arrays: &[Array]) {
        let shape = |array: &Array| ArrayShape {
            name: array.identity.name.clone(),
            serial: array.identity.serial.clone(),
            controllers: {
                let first = usize::from(array.first_controller);
                first..first + usize::from(array.controllers)
            },
            ports: array.ports_per_controller,
        };
        self.shape.arrays = arrays.iter().map(shape).collect();
        let highest = arrays.iter().map(|array| array.personality.max_lun()).max();
        self.shape.max_lun = highest.unwrap_or_default();
        self.shape.configs = arrays.iter().flat_map(|array| array.luns.clone()).collect();
        self.shape.luns = self.shape.configs.iter().map(|config| config.lun).collect();
        self.shape.main_lun = self.shape.luns.first().copied().unwrap_or(Lun(0));
    }

    pub(crate) fn know_hbas(&mut self, hbas: &[Hba]) {
        self.shape.hbas = hbas.to_vec();
    }

    pub(crate) fn know_workload(&mut self, workload: Option<&Workload>) {
        self.has_workload |= workload.is_some();
        if let Some(workload) = workload {
            self.io_begins = Some(workload.start).filter(|_| !self.steps_start_io);
            self.shape.main_lun = workload.lun;
        }
    }

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

    /// Reports a mistake or a warning at a position.
    pub(crate) fn report(&mut self, span: &Range<usize>, diagnostic: Diagnostic) {
        self.problems.report(span, diagnostic);
    }

    /// Reports that a verdict on the scenario would mean nothing. A lab, which has no verdict, takes
    /// the scenario nevertheless.
    pub(crate) fn untested(
        &mut self,
        span: &Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.untested(span, Diagnostic::error(problem).help(help));
    }

    /// Reports a mistake, with a help text.
    pub(crate) fn refuse(
        &mut self,
        span: &Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(span, Diagnostic::error(problem).help(help));
    }

    /// All mistakes and warnings, in the order of the file.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.into_parts().0
    }

    /// All mistakes and warnings, and what makes a verdict mean nothing.
    pub(crate) fn into_parts(self) -> (Diagnostics, Diagnostics) {
        self.problems.into_parts()
    }

    /// A story time; reports one after the end of the story.
    pub(crate) fn story_time(&mut self, given: &Name<TimeSpan>) -> Duration {
        let time = given.0.0;
        if time > self.end {
            let problem = format!("the story is over after {}", TimeSpan(self.end));
            self.refuse(&given.span, problem, "raise `limit` (or `run_for`)");
        }
        time
    }

    /// Registers the times of the steps that end the story.
    pub(crate) fn know_end_steps(&mut self, times: impl Iterator<Item = Duration>) {
        self.ended = times.min();
    }

    /// Reports a story time after a step that ends the story.
    pub(crate) fn before_end(&mut self, given: &Name<TimeSpan>) {
        if let Some(ended) = self.ended.filter(|ended| given.0.0 > *ended) {
            let problem = format!("a step ends the story at {}", TimeSpan(ended));
            self.untested(&given.span, problem, "nothing happens after that");
        }
    }

    /// A number, or its default; reports one outside the limits.
    pub(crate) fn number(
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

    pub(crate) fn controller(&mut self, given: &Name<ControllerId>) -> ControllerId {
        self.known_controller(given.0, &given.span);
        given.0
    }

    pub(crate) fn known_controller(&mut self, controller: ControllerId, span: &Range<usize>) {
        if controller.index() >= self.shape.controllers() {
            let problem = format!("the array has no controller {controller}");
            self.refuse(span, problem, self.shape.controllers_in_words());
        }
    }

    /// The array with this name; reports an unknown one.
    pub(crate) fn array(&mut self, name: &str, span: &Range<usize>) -> Arc<str> {
        let names = self.shape.arrays.iter().map(|array| array.name.clone());
        let names: Vec<_> = names.collect();
        if !self.shape.is_any && !names.iter().any(|known| known == name) {
            let problem = format!("there is no array named {name:?}");
            self.refuse(span, problem, near::help(name, &names));
        }
        Arc::from(name)
    }

    /// Reports that no LUN is presented by two arrays.
    pub(crate) fn needs_metro(&mut self, span: &Range<usize>) {
        if !self.shape.is_any && self.shape.arrays.len() < 2 {
            let problem = "there is only one array, so no LUN is presented by two";
            let help = "write two [[array]] tables, and `partner` at the LUN that both present";
            self.refuse(span, problem, help);
        }
    }

    pub(crate) fn port(&mut self, given: &Name<PortId>) -> PortId {
        self.known_port(given.0, &given.span);
        given.0
    }

    pub(crate) fn known_port(&mut self, port: PortId, span: &Range<usize>) {
        if !self.shape.has_ports(Ports::One(port)) {
            let problem = format!("the array has no port {port}");
            self.refuse(span, problem, self.shape.ports_in_words());
        }
    }

    pub(crate) fn hba(&mut self, given: &At<u64>) -> HbaId {
        let count = self.shape.hbas.len();
        match u8::try_from(given.value).map(HbaId) {
            Ok(hba) if self.shape.has_hba(hba) => hba,
            _ => {
                let problem = format!("there is no HBA {}", given.value);
                let help =
                    format!("the guest has {count}, counted from 0; [hba] count = … sets it");
                self.refuse(&given.span, problem, help);
                HbaId(0)
            }
        }
    }

    pub(crate) fn lun(&mut self, given: &At<u64>) -> Lun {
        match u16::try_from(given.value).ok().map(Lun) {
            Some(lun) if self.shape.has_lun(lun) => lun,
            _ => {
                let problem = format!("the array has no LUN {}", given.value);
                self.refuse(&given.span, problem, self.shape.luns_in_words());
                self.shape.main_lun
            }
        }
    }

    pub(crate) fn lun_or_main(&mut self, given: Option<&At<u64>>) -> Lun {
        given.map_or(self.shape.main_lun, |given| self.lun(given))
    }

    /// The nexuses of an HBA, a controller or a port, or all; reports what is not there, and a controller
    /// beside a port.
    pub(crate) fn nexuses(
        &mut self,
        hba: Option<&At<u64>>,
        controller: Option<&Name<ControllerId>>,
        port: Option<&Name<PortId>>,
        span: &Range<usize>,
    ) -> NexusPattern {
        let given = [("controller", controller.is_some()), ("port", port.is_some())];
        self.exclusive(&given, span);
        if let Some(controller) = controller {
            self.controller(controller);
        }
        if let Some(port) = port {
            self.port(port);
        }
        self.seen(hba, controller, port, span)
    }

    /// As [`Checker::nexuses`], but reports only that the HBA is not there, or that no path is there.
    /// Before the HBAs are known, nothing is reported.
    pub(crate) fn seen(
        &mut self,
        hba: Option<&At<u64>>,
        controller: Option<&Name<ControllerId>>,
        port: Option<&Name<PortId>>,
        span: &Range<usize>,
    ) -> NexusPattern {
        let there = hba.is_none_or(|hba| {
            u8::try_from(hba.value).is_ok_and(|hba| self.shape.has_hba(HbaId(hba)))
        });
        let hba = hba.map(|hba| self.hba(hba));
        let ports = match (controller, port) {
            (_, Some(port)) => Ports::One(port.0),
            (Some(controller), None) => Ports::Of(controller.0),
            (None, None) => Ports::All,
        };
        let to = NexusPattern { hba, ports };
        if there && self.shape.has_ports(ports) && !self.shape.sees_any(to) {
            let problem = format!("no path goes over {to}");
            self.refuse(span, problem, self.shape.targets_in_words());
        }
        to
    }

    /// The number under which a LUN is seen.
    pub(crate) fn shown(&mut self, number: Option<&At<u64>>) -> Shown {
        let Some(number) = number else { return Shown::Own };
        let max = u64::from(self.shape.max_lun);
        Shown::As(Lun(self.number(Some(number), 0..=max, 0, "the number of a LUN") as u16))
    }

    /// The sense of a unit attention; reports any other.
    pub(crate) fn unit_attention(&mut self, given: &Name<Sense>) -> Sense {
        let sense = given.0;
        if !sense.is_unit_attention() {
            let help = format!("write \"06/{:02x}/{:02x}\"", sense.asc, sense.ascq);
            self.refuse(&given.span, "the sense key of a unit attention is 06", help);
        }
        sense
    }

    /// A path pattern; reports one that matches no path.
    pub(crate) fn path(&mut self, path: PathPattern, span: &Range<usize>) -> PathPattern {
        self.known_port(path.port, span);
        if let Some(hba) = path.hba
            && usize::from(hba.0) >= self.shape.hbas.len()
        {
            let help = format!("the guest has {}, counted from 0", self.shape.hbas.len());
            self.refuse(span, format!("there is no HBA {}", hba.0), help);
        } else if !self.shape.sees(path) && self.shape.has_ports(Ports::One(path.port)) {
            let problem = format!("no path goes over {path}");
            self.refuse(span, problem, self.shape.targets_in_words());
        }
        path
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

    /// Reports an empty text, which every line contains.
    pub(crate) fn not_empty(&mut self, text: &At<String>) {
        if text.is_empty() {
            let help = "write some text that only the line in question has";
            self.refuse(&text.span, "every line contains this", help);
        }
    }

    /// Compiles a regular expression; `None` if it is invalid, which is reported, as is one that
    /// matches everything.
    pub(crate) fn regex(&mut self, pattern: &At<String>) -> Option<TextMatch> {
        match Regex::new(&pattern.value) {
            Ok(regex) => {
                if SAMPLES.iter().all(|text| regex.is_match(text)) {
                    let help = "write what only the text in question has";
                    self.refuse(&pattern.span, "this matches every text", help);
                }
                Some(TextMatch::Matches(regex))
            }
            Err(error) => {
                // The error of the library spans several lines with a caret of its own; the last
                // line is the reason.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let problem = format!("this is no regular expression: {reason}");
                let help = "put a backslash before each of . + * ? ( ) [ ] { } | ^ $ that is meant as such";
                self.refuse(&pattern.span, problem, help);
                None
            }
        }
    }

    /// Checks the placeholders of a word at `span`.
    pub(crate) fn placeholders(&mut self, word: &str, span: &Range<usize>) {
        let pieces = match pieces(word) {
            Ok(pieces) => pieces,
            Err(problem) => {
                self.report(span, Diagnostic::error(problem));
                return;
            }
        };
        for piece in pieces {
            let Piece::Device(device) = piece else { continue };
            let (Placeholder::Map { lun } | Placeholder::Disk { lun, .. }) = device;
            if let Some(lun) = lun {
                self.lun(&At { value: u64::from(lun.0), span: span.clone() });
            }
            if let Placeholder::Disk { path, .. } = device {
                self.path(path, span);
            }
        }
    }

    /// Reports if not exactly one of these mutually exclusive keys is present. Each is given with
    /// whether it is present.
    pub(crate) fn exclusive(&mut self, keys: &[(&str, bool)], span: &Range<usize>) {
        let given: Vec<_> = keys.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
        if let [first, second, ..] = given[..] {
            let problem = format!("`{first}` and `{second}` exclude each other");
            self.refuse(span, problem, "keep one of them");
        }
    }
}

/// A list for a message: `A, B and C`.
pub(crate) fn in_words<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
