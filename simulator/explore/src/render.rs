//! From a plan to a scenario as anybody could have written it.

use std::time::Duration;

use sansim_language::{Diagnostics, Ending, Scenario, Set, Step, Trigger, Vocabulary};
use sansim_stage::Manager;

use crate::plan::{Happening, Plan, What};

/// A scenario to explore.
pub struct Base {
    /// Its file.
    pub file: std::path::PathBuf,
    /// What was in the file when the exploration began: an edit changes no story.
    pub text: String,
    /// The scenario as it is written.
    pub scenario: Scenario,
    /// Values that the user overrides.
    pub sets: Vec<Set>,
}

/// A story: a scenario made of a schedule.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) scenario: Scenario,
    /// When everything is healed; `None` if nothing is.
    pub(crate) heal: Option<Duration>,
}

/// How long after everything is healed the failed paths of a map are reinstated that nobody else looks after.
const REINSTATED: Duration = Duration::from_secs(1);

/// How long the error handler may take after a command was given up.
const GIVEN_UP: Duration = Duration::from_secs(30);

impl Base {
    /// The scenario with other values.
    fn with(&self, sets: &[String]) -> Result<Scenario, Diagnostics> {
        if sets.is_empty() {
            return Ok(self.scenario.clone());
        }
        let more = sets.iter().filter_map(|set| set.parse().ok());
        let sets: Vec<Set> = self.sets.iter().cloned().chain(more).collect();
        let name = self.scenario.name.clone();
        let scenario =
            sansim_language::load_text(&self.file.display().to_string(), &self.text, &sets)?;
        Ok(Scenario { name, ..scenario })
    }

    /// The story of a plan.
    ///
    /// # Errors
    /// If the plan does not fit the scenario: a setting that it cannot have, a port that is not there.
    pub(crate) fn tell(&self, plan: &Plan) -> Result<Told, Diagnostics> {
        let mut scenario = self.with(&plan.sets)?;
        if plan.one_lun {
            scenario.setup.arrays[0].luns.truncate(1);
        }
        let explore = scenario.explore.clone();
        let undone = plan.end.is_none().then_some(explore.during);
        let vocabulary = Vocabulary::of(&scenario);
        let mut writer = Writer { vocabulary, steps: Vec::new(), undone };
        for happening in &plan.happenings {
            writer.write(happening, &mut scenario)?;
        }
        // A lost command fails its path when the guest gives it up, whatever has been undone by then.
        let patience = match plan.loses_commands() {
            true => scenario.setup.command_timeout + GIVEN_UP,
            false => Duration::ZERO,
        };
        let heal = undone.map(|undone| undone + patience);
        let reinstated = heal.filter(|_| scenario.setup.guest.manager == Manager::Dmsetup);
        if let Some(heal) = reinstated {
            writer.step("reinstated", heal + REINSTATED, "reinstate = \"all\"")?;
        }
        let end = plan.end.unwrap_or(explore.during + patience + explore.quiet);
        // What the scenario expects is of the SAN as it is written.
        if plan.is_smaller() {
            scenario.expectations.clear();
        }
        writer.steps.sort_by_key(|step| match step.trigger {
            Trigger::At(at) => at,
            Trigger::On { .. } => Duration::ZERO,
        });
        scenario.steps.extend(writer.steps);
        scenario.ending = Ending::After(end);
        scenario.limit = scenario.limit.max(end);
        scenario.explore = sansim_language::Explore::of(&scenario.setup);
        scenario.may_be_idle.workload = true;
        let names = scenario.setup.faults.iter().map(|rule| rule.name.to_string());
        scenario.may_be_idle.faults = names.collect();
        Ok(Told { scenario, heal })
    }
}

struct Writer {
    vocabulary: Vocabulary,
    steps: Vec<Step>,
    /// When what still lasts is undone, and no rule catches anything any more; `None` if never.
    undone: Option<Duration>,
}

impl Writer {
    fn write(&mut self, happening: &Happening, to: &mut Scenario) -> Result<(), Diagnostics> {
        let Happening { name, at, what } = happening;
        match what {
            What::Step { step, undo, lasts } => {
                self.step(name, *at, step)?;
                let Some(undo) = undo else { return Ok(()) };
                let until = lasts.map(|lasts| *at + lasts).into_iter().chain(self.undone).min();
                match until {
                    Some(until) => self.step(&format!("{name} is over"), until, undo),
                    None => Ok(()),
                }
            }
            What::Fault { when, then, hold } => {
                let span = |time: Duration| sansim_language::value::TimeSpan(time);
                let mut when = when.clone();
                if !at.is_zero() {
                    when.push_str(&format!(", from = \"{}\"", span(*at)));
                }
                if let Some(undone) = self.undone {
                    when.push_str(&format!(", until = \"{}\"", span(undone)));
                }
                let text = format!("name = {name:?}, when = {{ {when} }}, then = {{ {then} }}");
                let rule = self.vocabulary.fault(&text)?.value;
                self.vocabulary.know_fault(&rule);
                to.setup.faults.push(rule);
                let Some(hold) = hold else { return Ok(()) };
                let until = self.undone.map_or(*at + *hold, |undone| (*at + *hold).min(undone));
                self.step(&format!("{name} is over"), until, &format!("release = {name:?}"))
            }
        }
    }

    fn step(&mut self, name: &str, at: Duration, text: &str) -> Result<(), Diagnostics> {
        let step = self.vocabulary.step(&format!("name = {name:?}, {text}"))?.value;
        self.vocabulary.know_step(&step);
        self.steps.push(Step { trigger: Trigger::At(at), optional: true, ..step });
        Ok(())
    }
}
