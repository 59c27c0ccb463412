//! A scenario out of what was done to a SAN that ran.

use std::{sync::Arc, time::Duration};

use sansim_array::{Action, ControllerId, FaultRule, Lun};
use sansim_stage::Act;

use crate::{
    Diagnostics, Ending, Expectation, MayBeIdle, Scenario, Step, StepAction, Trigger, Vocabulary,
};

/// What was done to a SAN that ran, and what was seen at its end. All times are story times.
#[derive(Debug, Clone)]
pub struct Lived {
    /// The steps that were taken, in order.
    pub deeds: Vec<Deed>,
    /// The fault rules that were added, in order.
    pub added: Vec<Added>,
    /// The end.
    pub end: End,
    /// What came to nothing, with the names that the rules had.
    pub idle: MayBeIdle,
}

/// A step that was taken.
#[derive(Debug, Clone)]
pub struct Deed {
    /// When it was taken.
    pub at: Duration,
    /// What was done. The removal of a rule of the scenario is [`Action::Arm`] with `armed: false`.
    pub action: StepAction,
    /// Text for people.
    pub caption: Option<String>,
    /// Whether it need not happen or have an effect.
    pub optional: bool,
}

/// A fault rule that was added.
#[derive(Debug, Clone)]
pub struct Added {
    /// The rule as it was when it was added. Its name is taken by no rule that was there then.
    pub rule: FaultRule,
    /// When it was added.
    pub at: Duration,
    /// When it was removed, if it was.
    pub removed: Option<Duration>,
}

/// What was seen at the end.
#[derive(Debug, Clone)]
pub struct End {
    /// The time of the end.
    pub at: Duration,
    /// The LUNs that are mapped.
    pub luns: Vec<LunEnd>,
    /// The totals of the workloads, if there was one.
    pub io: Option<IoEnd>,
}

/// What was seen of a LUN at the end.
#[derive(Debug, Clone, Copy)]
pub struct LunEnd {
    /// The LUN.
    pub lun: Lun,
    /// Its owner, if it is known.
    pub owner: Option<ControllerId>,
    /// The number of active and of failed paths, if it has a map.
    pub paths: Option<(u64, u64)>,
    /// The round of pg_init that its map shows, if it is of interest.
    pub rounds: Option<u64>,
}

/// The totals of the workloads at the end.
#[derive(Debug, Clone, Copy)]
pub struct IoEnd {
    /// The number of failed requests.
    pub errors: u64,
    /// The number of blocks with wrong data.
    pub corrupt: u64,
}

/// A scenario that does again what was done, and expects what was seen at the end. It has the setup
/// of `base`; not its steps and expectations. Times are rounded down to milliseconds, the end is
/// rounded up.
///
/// A rule that was added is there from the beginning, disarmed; a step arms it when it was added,
/// and another one disarms it when it was removed. If its name is used by another rule of the story,
/// it gets a number. Commands that were still held at the end make a warning when the scenario is
/// loaded.
///
/// # Errors
/// If what was seen cannot be expected, such as something of a LUN that is not mapped.
pub fn story(base: &Scenario, title: &str, lived: &Lived) -> Result<Scenario, Diagnostics> {
    let rules = Rules::of(base, &lived.added);
    let end = Duration::from_nanos(1).max(lived.end.at);
    let end = in_millis(end + Duration::from_nanos(999_999));
    let mut scenario = Scenario {
        title: title.to_owned(),
        limit: base.limit.max(end),
        ending: Ending::After(end),
        steps: rules.steps(&lived.deeds),
        expectations: Vec::new(),
        warnings: Diagnostics::default(),
        untested: Diagnostics::default(),
        ..base.clone()
    };
    let faults = rules.added.iter().map(|(name, added)| FaultRule {
        name: Arc::clone(name),
        armed: false,
        ..added.rule.clone()
    });
    scenario.setup.faults.extend(faults);
    scenario.may_be_idle.workload |= lived.idle.workload;
    scenario.may_be_idle.faults.extend(rules.idle(base, &lived.idle));
    scenario.expectations = expectations(&scenario, &lived.end)?;
    Ok(scenario)
}

fn in_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// The rules that were added, each with a name that no other rule of the story has.
struct Rules<'l> {
    added: Vec<(Arc<str>, &'l Added)>,
}

impl<'l> Rules<'l> {
    fn of(base: &Scenario, added: &'l [Added]) -> Self {
        let mut rules = Rules { added: Vec::new() };
        let mut taken: Vec<Arc<str>> =
            base.setup.faults.iter().map(|rule| Arc::clone(&rule.name)).collect();
        for added in added {
            let own = &added.rule.name;
            let numbered = (2..).map(|number| Arc::from(format!("{own} {number}")));
            let mut names = std::iter::once(Arc::clone(own)).chain(numbered);
            let name = names.find(|name| !taken.contains(name)).unwrap_or_else(|| Arc::clone(own));
            taken.push(Arc::clone(&name));
            rules.added.push((name, added));
        }
        rules
    }

    /// The rules that caught nothing, with the story's names.
    fn idle(&self, base: &Scenario, idle: &MayBeIdle) -> Vec<String> {
        let base = base.setup.faults.iter().map(|rule| (&rule.name, &rule.name));
        let added = self.added.iter().map(|(name, added)| (name, &added.rule.name));
        let idle = base.chain(added).filter(|(_, name)| idle.faults.contains(&***name));
        idle.map(|(name, _)| name.to_string()).collect()
    }

    /// The steps in order of time: those that were taken, and those that arm and disarm the rules.
    fn steps(&self, deeds: &[Deed]) -> Vec<Step> {
        let arm = |name: &Arc<str>, armed| {
            StepAction::Act(Act::Array(Action::Arm { rule: Arc::clone(name), armed }))
        };
        let armed = |at, name: &Arc<str>, armed| Deed {
            at,
            action: arm(name, armed),
            caption: None,
            optional: false,
        };
        let mut all: Vec<Deed> = Vec::new();
        for (name, added) in &self.added {
            all.extend(added.rule.armed.then(|| armed(added.at, name, true)));
            all.extend(added.removed.map(|at| armed(at, name, false)));
        }
        all.extend(deeds.iter().map(|deed| Deed { action: self.renamed(deed), ..deed.clone() }));
        all.sort_by_key(|deed| deed.at);
        let steps = all.into_iter().enumerate();
        let step = |(index, deed): (usize, Deed)| Step {
            caption: deed.caption,
            optional: deed.optional,
            trigger: Trigger::At(in_millis(deed.at)),
            ..Step::of(format!("step-{}", index + 1), deed.action)
        };
        steps.map(step).collect()
    }

    /// The action of a deed, with the story's name for a rule.
    fn renamed(&self, deed: &Deed) -> StepAction {
        let StepAction::Act(Act::Array(Action::Arm { rule, armed })) = &deed.action else {
            return deed.action.clone();
        };
        let mut known = self.added.iter().rev();
        let meant = known.find(|(_, added)| added.rule.name == *rule && added.at <= deed.at);
        let rule = meant.map_or(rule, |(name, _)| name);
        StepAction::Act(Act::Array(Action::Arm { rule: Arc::clone(rule), armed: *armed }))
    }
}

/// The expectation of what was seen: a table for each LUN, and one for the workloads.
fn expectations(scenario: &Scenario, end: &End) -> Result<Vec<Expectation>, Diagnostics> {
    let mut vocabulary = Vocabulary::of(scenario);
    scenario.steps.iter().for_each(|step| vocabulary.know_step(step));
    let mut texts: Vec<String> = end.luns.iter().filter_map(of_lun).collect();
    let io = |io: &IoEnd| format!("io = {{ errors = {}, corrupt = {} }}", io.errors, io.corrupt);
    texts.extend(end.io.as_ref().map(io));
    texts.iter().map(|text| Ok(vocabulary.expectation(text)?.value)).collect()
}

fn of_lun(end: &LunEnd) -> Option<String> {
    let lun = end.lun;
    let owner = |owner| format!("owner = {{ lun = {lun}, controller = \"{owner}\" }}");
    let paths = |(active, failed)| format!("paths = {{ active = {active}, failed = {failed} }}");
    let seen = [
        end.owner.map(owner),
        end.paths.map(paths),
        end.rounds.map(|rounds| format!("rounds_at_end = {rounds}")),
    ];
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    (!seen.is_empty()).then(|| format!("lun = {lun}\n{}", seen.join("\n")))
}

#[cfg(test)]
mod tests;
