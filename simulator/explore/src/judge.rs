//! The laws, judged by what happened: the events of a run, and its summary.
//!
//! Nothing here knows what a schedule did. What permits a failure is what the array answered on the wire.

mod bound;
mod paths;
mod view;
mod waits;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sansim_language::{Law, Scenario};
use sansim_report::verdict::{Summary, Verdict};
use sansim_stage::{
    Manager,
    event::{Change, Event, IoKind, PathState, What},
};
use serde::{Deserialize, Serialize};

use self::{
    bound::Bound,
    paths::{Paths, activates},
    waits::Waits,
};
use crate::{answer::Grade, behaviour::Behaviour, render::Told};

/// What the law `bytes` expects.
pub(crate) const RIGHT_BYTES: &str = "io = { corrupt = 0 }";

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// The law's word.
    pub law: String,
    /// When, in seconds of the story.
    pub t: f64,
    /// What was seen, in a sentence.
    pub seen: String,
    /// What breaches of the same cause have in common.
    pub signature: String,
    /// The keys of an `[[expect]]` that this story does not meet.
    pub expect: String,
    /// A step that it needs: its name, and its keys.
    pub step: Option<(String, String)>,
}

/// Judges a story while it is told.
pub(crate) struct Judge {
    laws: BTreeSet<Law>,
    paths: Paths,
    bound: Bound,
    waits: Waits,
    behaviour: Behaviour,
    /// The map's manager is multipathd.
    has_multipathd: bool,
    /// When everything is healed, in seconds.
    heal: Option<f64>,
    /// Whether that is over, with all that came of it.
    is_healed: bool,
    /// What went wrong last on the wire, and on each path: operation and answer.
    odd: Odd,
    odd_of: BTreeMap<String, Odd>,
    /// The time of the stall that has not ended.
    stalled: Option<f64>,
    view: Option<serde_json::Value>,
    breaches: BTreeMap<Law, Breach>,
}

/// What a story came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judgement {
    /// The laws that were broken, at most one breach of each.
    pub(crate) breaches: Vec<Breach>,
    /// What was new in kind: numbers of behaviours.
    pub(crate) behaviours: BTreeSet<u64>,
    /// When something of interest happened, in milliseconds.
    pub(crate) times: Vec<u64>,
    /// How it ended, for comparison with other images.
    pub(crate) end: String,
}

/// How long after everything is healed a path may still be given a reason to be failed, in seconds: by a command that
/// was on its way, until paths are reinstated.
const HEALED_S: f64 = 1.5;

/// The last things that went wrong, oldest first; at most two, of which a signature is made.
#[derive(Debug, Default)]
struct Odd(VecDeque<String>);

impl Odd {
    const MOST: usize = 2;

    /// One more thing went wrong. The same once more is nothing new.
    fn add(&mut self, what: &str) {
        if self.0.back().is_none_or(|last| last != what) {
            self.0.push_back(what.to_owned());
            self.0.drain(..self.0.len().saturating_sub(Self::MOST));
        }
    }

    fn last(&self) -> &str {
        self.0.back().map_or("", String::as_str)
    }

    fn in_words(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Judge {
    pub(crate) fn new(told: &Told, laws: &BTreeSet<Law>) -> Self {
        let scenario: &Scenario = &told.scenario;
        Judge {
            laws: laws.clone(),
            paths: Paths::of(&scenario.setup),
            bound: Bound::default(),
            waits: Waits::of(&scenario.setup),
            behaviour: Behaviour::default(),
            has_multipathd: scenario.setup.guest.manager != Manager::Dmsetup,
            heal: told.heal.map(|heal| heal.as_secs_f64()),
            is_healed: false,
            odd: Odd::default(),
            odd_of: BTreeMap::new(),
            stalled: None,
            view: None,
            breaches: BTreeMap::new(),
        }
    }

    /// Takes an event.
    pub(crate) fn see(&mut self, event: &Event) {
        // What is before the story is the same for all of them.
        if event.t < 0.0 {
            return;
        }
        // A command is seen when it ends, with the time at which it was sent.
        let now = match &event.what {
            What::Command(command) => event.t + command.latency_s,
            _ => event.t,
        };
        if self.heal.is_some_and(|heal| now > heal + HEALED_S) && !self.is_healed {
            self.is_healed = true;
            self.paths.forgive();
        }
        self.behaviour.see(event);
        match &event.what {
            What::Command(command) => {
                let grade = Grade::of(command);
                self.paths.command(command, grade);
                self.waits.command(event.t, command, grade);
                if grade != Grade::Good {
                    self.odd.add(&odd(command));
                    self.odd_of.entry(command.path()).or_default().add(&odd(command));
                }
                if let Some((seen, expect)) = self.bound.command(event.t, command, grade) {
                    self.breach(Law::Loops, event.t, seen, &expect);
                }
            }
            What::Path { path, dev, state, fails, .. } => {
                // In a table that is loaded anew all paths are active, until whoever looks after it fails those that
                // are down: nobody has put them into service.
                let loaded = *state == PathState::Active && *fails == 0;
                let by_nobody = loaded || self.paths.is_only_loaded(path);
                let for_nothing = self.paths.state(path, dev, *state, loaded);
                self.waits.path(event.t, path, dev, *state);
                if !by_nobody && let Some((seen, expect)) = self.bound.path(path, *state) {
                    self.breach(Law::Loops, event.t, seen, &expect);
                }
                if for_nothing {
                    self.failed_for_nothing(event.t, path);
                }
            }
            What::Group { group, state } => self.waits.group(event.t, *group, *state),
            What::Io { what: IoKind::Error, text, .. } => self.failed(event.t, text),
            What::Io { what: IoKind::Corrupt, text, .. } => {
                let seen = format!("what was read is not what was written: {text}");
                self.breach(Law::Bytes, event.t, seen, RIGHT_BYTES);
            }
            What::Io { what: IoKind::StallBegin, .. } => {
                self.stalled = Some(event.t);
                self.waits.stall_begins(event.t);
            }
            What::Io { what: IoKind::StallEnd, .. } => {
                self.stalled = None;
                self.waits.stall_ends(event.t);
            }
            What::Log { text, .. } => self.log(event.t, text),
            What::State { change, .. } => {
                self.bound.changed();
                match change {
                    Change::Controller { controller, to, .. } => {
                        self.paths.controller(controller, to);
                    }
                    Change::Owner { lun, to, .. } => self.paths.owner(*lun, to),
                    Change::PortGroup { lun, group, state } => {
                        self.paths.group(*lun, *group, state.as_deref());
                    }
                    _ => {}
                }
            }
            What::Multipathd { view, .. } => self.view = Some(view.clone()),
            _ => {}
        }
    }

    /// An I/O of the workload has failed.
    fn failed(&mut self, t: f64, text: &str) {
        if let Some(why) = self.paths.no_reason_to_fail() {
            let seen = format!("{text}, although {why}");
            self.breach(Law::Errors, t, seen, "io = { errors = 0 }");
        }
    }

    /// A path is failed that the array has given no reason to fail.
    fn failed_for_nothing(&mut self, t: f64, path: &str) {
        let Some((hba, port)) = path.strip_prefix("hba").and_then(|path| path.split_once(':'))
        else {
            return;
        };
        let seen = format!("{path} is failed, although the array has given no reason to");
        // It may be reinstated later.
        let expect = format!(
            "never = true, path = {{ hba = {hba}, port = \"{port}\", state = \"failed\" }}"
        );
        self.breach_of_path(path, t, seen, &expect);
    }

    /// Records that a path is failed. What has led to that is what went wrong on it, whatever happened elsewhere.
    fn breach_of_path(&mut self, path: &str, t: f64, seen: String, expect: &str) {
        let odd = self.odd_of.get(path).map(Odd::in_words).unwrap_or_default();
        self.breach_signed(Law::Paths, t, seen, expect, format!("{}: {odd}", Law::Paths));
    }

    fn log(&mut self, t: f64, text: &str) {
        if let Some(mark) = sansim_stage::complaint_mark(text) {
            let expect = format!("log = {{ contains = {mark:?}, exactly = 0 }}");
            self.breach(Law::Complaints, t, format!("the log says: {text}"), &expect);
        }
        if let Some((seen, expect)) = self.bound.line(t, text) {
            self.breach(Law::Loops, t, seen, &expect);
        }
    }

    /// Records the first breach of a law.
    fn breach(&mut self, law: Law, t: f64, seen: String, expect: &str) {
        let signature = match law {
            // What is repeated is what it is about.
            Law::Loops => format!("{law}: {expect}"),
            // What has led to what was last on the wire is another story, but the same bug.
            Law::Bytes => format!("{law}: {}", self.odd.last()),
            _ => format!("{law}: {}", self.odd.in_words()),
        };
        self.breach_signed(law, t, seen, expect, signature);
    }

    /// The same, with what breaches of the same cause have in common.
    fn breach_signed(&mut self, law: Law, t: f64, seen: String, expect: &str, signature: String) {
        if !self.laws.contains(&law) {
            return;
        }
        let (law_word, expect) = (law.word().to_owned(), expect.to_owned());
        let breach = Breach { law: law_word, t, seen, signature, expect, step: None };
        self.breaches.entry(law).or_insert(breach);
    }

    /// The story is over.
    pub(crate) fn close(mut self, summary: &Summary) -> Judgement {
        let t = summary.simulated_s;
        if self.heal.is_some() && summary.verdict != Verdict::Error {
            self.healed(t, summary);
        }
        self.waited();
        self.own_expectations(t, summary);
        let io = &summary.io;
        let end = format!(
            "I/O {}, data {}, {} of {} paths active",
            if io.errors > 0 { "failed" } else { "did not fail" },
            if io.corrupt > 0 { "wrong" } else { "right" },
            self.paths.active(),
            self.paths.all(),
        );
        let (behaviours, times) = self.behaviour.finish();
        Judgement { breaches: self.breaches.into_values().collect(), behaviours, times, end }
    }

    /// Judges what must be so when all is healed and has been quiet.
    fn healed(&mut self, t: f64, summary: &Summary) {
        if summary.io.stuck > 0 {
            let seen = format!("{} requests have not completed at the end", summary.io.stuck);
            self.breach(Law::Flow, t, seen, "io = { stuck = 0 }");
        } else if let Some(since) = self.stalled {
            let seen = format!("no I/O has completed since {since:.3} s");
            self.breach(Law::Flow, t, seen, "io = { stuck = 0 }");
        }
        let failed = self.paths.failed_for_nothing();
        if let Some(path) = failed.first().and_then(|it| it.split(' ').next()) {
            let seen = format!("at the end {} failed", failed.join(", "));
            self.breach_of_path(path, t, seen, "paths = { failed = 0 }");
        }
        if self.has_multipathd
            && let Some((seen, step, expect)) = self.view.as_ref().and_then(view::disagreement)
        {
            self.breach(Law::Agreement, t, seen, &expect);
            if let Some(breach) = self.breaches.get_mut(&Law::Agreement) {
                breach.step = Some((view::STEP.to_owned(), step));
            }
        }
    }

    /// Judges how long I/O has waited.
    fn waited(&mut self) {
        let Some(wait) = self.waits.too_long() else { return };
        self.breach(Law::Waits, wait.t, wait.seen, &wait.expect);
        if let Some(breach) = self.breaches.get_mut(&Law::Waits) {
            breach.signature = format!("{}: after {}", Law::Waits, wait.after);
        }
    }

    /// The scenario's own expectations are laws, too.
    fn own_expectations(&mut self, t: f64, summary: &Summary) {
        let failed = summary.expectations.iter().find(|it| !it.ok && !it.is_known());
        if let Some(failed) = failed {
            let seen = format!("the scenario expects {}: {}", failed.text, failed.complaint());
            self.breach(Law::Expectations, t, seen, "");
            if let Some(breach) = self.breaches.get_mut(&Law::Expectations) {
                breach.signature = format!("{}: {}", Law::Expectations, failed.text);
            }
        }
    }
}

/// What went wrong, without numbers that differ from story to story.
fn odd(command: &sansim_stage::event::CommandEvent) -> String {
    let op = command.op.split('(').next().unwrap_or_default();
    let op = if matches!(op, "READ" | "WRITE") { "medium" } else { op };
    format!("{op} {}", command.answer())
}

#[cfg(test)]
mod tests;
