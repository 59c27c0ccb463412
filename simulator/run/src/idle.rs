//! What came to nothing in a story: observed while it runs, judged once at its end.

mod nothing;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use nothing::nothing_to_do;
use rules::Rule;
use sansim_array::{Action, ArrayView, Changed, CommandRecord, Lun, StateChange};
use sansim_language::{Expectation, Scenario, Step, StepAction};
use sansim_protocol::Ended;
use sansim_stage::{Act, Idle, IdleKind, Incomplete, World};

use crate::script::{Script, Unfinished};

/// The code with which a shell, and sansim's agent, report a program that is not there.
pub(super) const NOT_FOUND: i32 = 127;

/// Observes what a story uses of what its scenario has.
#[derive(Default)]
pub(super) struct Watch {
    rules: Vec<Rule>,
    /// The steps that changed nothing when they were done.
    for_nothing: Vec<Idle>,
    /// The steps that armed a rule, each with the rule and the commands that it had caught by then.
    armed: Vec<(String, Arc<str>, u64)>,
    /// Whether anything was done to the SAN, or it did something by itself.
    moved: bool,
}

/// What there is at the end of a story.
pub(super) struct Ending<'s> {
    pub(super) scenario: &'s Scenario,
    /// The number of expectations that are for other versions.
    pub(super) elsewhere: usize,
    pub(super) script: &'s Script,
    /// Whether a step has ended the story.
    pub(super) ended: bool,
    pub(super) world: &'s World,
    pub(super) view: &'s ArrayView,
    /// Whether the workload of the setup still waits for its start time.
    pub(super) workload_waits: bool,
    /// Why the workload of the setup could not be started.
    pub(super) workload_refused: Option<&'s str>,
    /// What was not complete when the story began.
    pub(super) incomplete: &'s [Incomplete],
}

impl Watch {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let rules = scenario.setup.faults.iter().cloned().map(Rule::new);
        Watch { rules: rules.collect(), ..Watch::default() }
    }

    /// Takes note of a completed command.
    pub(super) fn command(&mut self, record: &CommandRecord) {
        self.rules.iter_mut().for_each(|rule| rule.command(record));
    }

    /// Takes note of a change of the array.
    pub(super) fn change(&mut self, change: &StateChange) {
        match &change.what {
            Changed::Rule { name, armed: true } => {
                self.rules.iter_mut().for_each(|rule| rule.armed(name));
            }
            Changed::Owner { .. } | Changed::Controller { .. } => self.moved = true,
            _ => {}
        }
    }

    /// Takes note of an act that is about to be carried out.
    pub(super) fn act(&mut self, step: &Step, act: &Act, view: &ArrayView) {
        self.moved = true;
        let Act::Array(action) = act else { return };
        if let Some(why) = nothing_to_do(action, view) {
            let what = format!("step {:?} ({}) changed nothing", step.name, step.words);
            self.for_nothing.extend((!step.optional).then_some(idle(IdleKind::Step, what, why)));
        } else if let Action::Arm { rule, armed: true } = action
            && !step.optional
        {
            self.armed.push((step.name.clone(), Arc::clone(rule), caught(view, rule)));
        }
    }

    /// Everything that came to nothing and must not.
    pub(super) fn judge(self, end: &Ending<'_>) -> Vec<Idle> {
        let mut all = unexpected(end);
        let expectations = self.expectations(end);
        let asked = |rule: &&Rule| !may_not_fire(rule.name(), end.scenario);
        let never = self.rules.iter().filter(asked);
        all.extend(never.filter_map(|rule| rule.never_matched(end.view)));
        all.extend(steps(end));
        all.extend(self.armed_for_nothing(end.view));
        all.extend(self.for_nothing);
        all.extend(end.scenario.steps.iter().filter_map(|step| program(step, end)));
        all.extend(workloads(end));
        // That nothing happened at all follows from the others, if there are any.
        all.extend(expectations);
        all
    }

    /// Expectations that say nothing: none, or only that nothing happens where nothing did.
    fn expectations(&self, end: &Ending<'_>) -> Option<Idle> {
        let expectations = &end.scenario.expectations;
        let none_is_needed = end.elsewhere == 0 && end.scenario.steps.iter().any(Step::is_a_test);
        if expectations.is_empty() && none_is_needed {
            return None;
        }
        if expectations.is_empty() {
            let why = match end.elsewhere {
                0 => "the scenario has no [[expect]]".to_owned(),
                1 => "the only expectation is for other versions".to_owned(),
                many => format!("all {many} expectations are for other versions"),
            };
            return Some(idle(IdleKind::Expectations, "nothing was expected", why));
        }
        let fired = end.view.rules.iter().any(|rule| rule.caught > 0);
        let of_nothing = expectations.iter().all(Expectation::is_of_nothing);
        let empty = !self.moved && !fired && of_nothing;
        let why = "all that is expected is that something does not happen";
        empty.then(|| idle(IdleKind::Expectations, "nothing happened to the SAN", why))
    }

    /// The steps that armed a rule which has caught nothing since. If the rule never fired, that is
    /// reason enough.
    fn armed_for_nothing(&self, view: &ArrayView) -> Vec<Idle> {
        let idle = |(step, rule, before): &(String, Arc<str>, u64)| {
            let since = caught(view, rule);
            (since > 0 && since == *before).then(|| {
                let what = format!("step {step:?} armed fault {rule:?} for nothing");
                idle(IdleKind::Step, what, "it has caught nothing since")
            })
        };
        self.armed.iter().filter_map(idle).collect()
    }
}

fn idle(of: IdleKind, what: impl Into<String>, why: impl Into<String>) -> Idle {
    Idle { of, what: what.into(), why: why.into() }
}

/// Whether a step that is about to be done may change nothing: what it asks for is so already, or it
/// arms a rule, which may catch nothing.
pub fn may_be_for_nothing(action: &StepAction, view: &ArrayView) -> bool {
    match action {
        StepAction::Act(Act::Array(Action::Arm { armed: true, .. })) => true,
        StepAction::Act(Act::Array(action)) => nothing_to_do(action, view).is_some(),
        StepAction::Act(_) | StepAction::End => false,
    }
}

/// The number of commands that a rule has caught.
fn caught(view: &ArrayView, name: &str) -> u64 {
    view.rules.iter().find(|rule| *rule.name == *name).map_or(0, |rule| rule.caught)
}

/// Whether the file says that this rule may never fire.
fn may_not_fire(rule: &str, scenario: &Scenario) -> bool {
    let mut conditions = scenario.expectations.iter().flat_map(|it| &it.conditions);
    scenario.may_be_idle.faults.contains(rule) || conditions.any(|it| it.allows_no_firing(rule))
}

/// The LUNs without a map or with fewer disks than there must be, of which nothing was expected.
fn unexpected(end: &Ending<'_>) -> Vec<Idle> {
    let mut all: Vec<Idle> = Vec::new();
    let mut told = BTreeSet::new();
    for incomplete in end.incomplete {
        let Some(lun) = incomplete.what.missing_of().filter(|lun| told.insert(*lun)) else {
            continue;
        };
        let mut conditions = end.scenario.expectations.iter().flat_map(|it| &it.conditions);
        if !conditions.any(|condition| condition.is_about_map_of(lun)) {
            let why = "no expectation is about its disks or its map";
            all.push(idle(IdleKind::Discovery, incomplete.to_string(), why));
        }
    }
    all
}

/// The steps that never happened. A story that a step has ended needs no other end.
fn steps(end: &Ending<'_>) -> Vec<Idle> {
    let unfinished = end.script.unfinished();
    let moot = |step: &Step| end.ended && step.action == StepAction::End;
    let wanted = unfinished.filter(|(step, _)| !step.optional && !moot(step));
    let idle = |(step, how): (&Step, Unfinished)| {
        let (did_not, why) = match how {
            Unfinished::Waiting => ("never happened", "what it waited for never came"),
            Unfinished::Due => ("never happened", "the story was over before"),
            Unfinished::Running => ("had not ended", "the story was over before"),
        };
        let what = format!("step {:?} ({}: {}) {did_not}", step.name, step.trigger, step.words);
        idle(IdleKind::Step, what, why)
    };
    wanted.map(idle).collect()
}

/// A program that failed, though nothing is said about its exit code.
fn program(step: &Step, end: &Ending<'_>) -> Option<Idle> {
    let ran = end.world.program(&step.name).filter(|_| !step.optional)?;
    let conditions = end.scenario.expectations.iter().flat_map(|it| &it.conditions);
    let (codes, ends): (Vec<_>, Vec<_>) =
        conditions.map(|it| (it.code_of(&step.name), it.is_about_end_of(&step.name))).unzip();
    let is_asked = ends.contains(&true);
    let mut codes = codes.into_iter().flatten();
    let why = match ran.ended.code() {
        Some(0) => return None,
        // A range such as `> 0` does not mean that the program may be missing.
        Some(NOT_FOUND) if !codes.any(|code| code.holds(NOT_FOUND as u64) && !code.holds(126)) => {
            "this is what a shell says of a program that is not there".to_owned()
        }
        Some(_) | None if is_asked => return None,
        _ => "no expectation is about its exit code".to_owned(),
    };
    let ended = match ran.ended {
        Ended::Code(code) => format!("ended with code {code}"),
        killed => format!("was {killed}"),
    };
    let what = format!("the program of step {:?} ({}) {ended}", step.name, step.words);
    Some(idle(IdleKind::Program, what, why))
}

/// The workloads that did no I/O.
fn workloads(end: &Ending<'_>) -> Vec<Idle> {
    let Some(setup) = &end.scenario.setup.workload else { return started(end, BTreeMap::new()) };
    let mut all = Vec::new();
    if end.workload_waits && !end.scenario.may_be_idle.workload {
        let what = format!("the workload of LUN {} never started", setup.lun);
        let why = format!("its start is at {} s", setup.start.as_secs_f64());
        all.push(idle(IdleKind::Workload, what, why));
    }
    if let Some(why) = end.workload_refused
        && !end.scenario.may_be_idle.workload
    {
        let what = format!("the workload of LUN {} never started", setup.lun);
        all.push(idle(IdleKind::Workload, what, why));
    }
    all.extend(started(end, BTreeMap::from([(setup.lun, end.scenario.may_be_idle.workload)])));
    all
}

/// The workloads that were started and did no I/O, except where it is said that they need not.
fn started(end: &Ending<'_>, mut optional: BTreeMap<Lun, bool>) -> Vec<Idle> {
    for step in &end.scenario.steps {
        if let StepAction::Act(Act::StartWorkload(workload)) = &step.action {
            *optional.entry(workload.lun).or_default() |= step.optional;
        }
    }
    let none = end
        .world
        .io_by_lun()
        .filter(|(lun, io)| io.is_none() && !optional.get(lun).copied().unwrap_or_default());
    let idle = |(lun, _)| {
        let what = format!("the workload of LUN {lun} did no I/O");
        idle(IdleKind::Workload, what, "no request was completed, failed or got stuck")
    };
    none.map(idle).collect()
}

#[cfg(test)]
mod tests;
