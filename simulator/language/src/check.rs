//! Shared state and helpers for the validation of all tables.

mod names;
mod san;
mod shape;

use std::{
    collections::BTreeSet,
    fmt,
    ops::{Range, RangeInclusive},
    time::Duration,
};

pub(crate) use names::{Announced, next_name};
use regex::Regex;
use sansim_array::Sense;
use sansim_stage::{TextMatch, Workload};
pub(crate) use shape::{ArrayShape, Shape};

use crate::{
    Diagnostic, Diagnostics,
    form::{Name, Problems},
    value::{At, TimeSpan},
};

/// The largest integer of TOML, as an upper limit that every number satisfies.
pub(crate) const NO_LIMIT: u64 = i64::MAX as u64;

/// Texts that have nothing in common: a regular expression that matches all of them matches anything.
const SAMPLES: [&str; 3] = ["", "\u{1}", "q 7:\n_"];

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

    pub(crate) fn know_workload(&mut self, workload: Option<&Workload>) {
        self.has_workload |= workload.is_some();
        if let Some(workload) = workload {
            self.io_begins = Some(workload.start).filter(|_| !self.steps_start_io);
            self.shape.main_lun = workload.lun;
        }
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

    /// The sense of a unit attention; reports any other.
    pub(crate) fn unit_attention(&mut self, given: &Name<Sense>) -> Sense {
        let sense = given.0;
        if !sense.is_unit_attention() {
            let help = format!("write \"06/{:02x}/{:02x}\"", sense.asc, sense.ascq);
            self.refuse(&given.span, "the sense key of a unit attention is 06", help);
        }
        sense
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
