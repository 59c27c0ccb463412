//! From a schedule that breaks a law to a scenario file.

use std::{path::Path, sync::Arc};

use sansim_language::{
    Diagnostics, Law, Scenario, StepAction, Trigger, Vocabulary, load_text, resolved_toml,
    short_toml,
};
use sansim_stage::Act;

use crate::{
    judge::{Breach, RIGHT_BYTES},
    plan::Plan,
    render::{Base, Told},
    schedule::{Schedule, Sort},
};

/// The seed of a schedule's runs: a number that a scenario file can have.
pub(crate) fn run_seed(schedule: &Schedule) -> u32 {
    schedule.seed as u32
}

/// The scenario of a finding: what `told` says, as a person would write it, and what it does not meet.
///
/// # Errors
/// If the expectation does not fit the scenario.
pub(crate) fn scenario(
    base: &Base,
    schedule: &Schedule,
    told: &Told,
    breach: &Breach,
    strict: bool,
) -> Result<Scenario, Diagnostics> {
    let mut scenario = told.scenario.clone();
    let own = base.scenario.steps.len();
    // Numbers instead of names, as a step without a name has them.
    for (index, step) in scenario.steps.iter_mut().enumerate().skip(own) {
        step.optional = !strict;
        step.name = format!("step-{}", index + 1);
    }
    let rules = base.scenario.setup.faults.len();
    for (index, rule) in scenario.setup.faults.iter_mut().enumerate().skip(rules) {
        rule.name = Arc::from(format!("fault-{}", index + 1));
    }
    scenario.may_be_idle = match strict {
        true => base.scenario.may_be_idle.clone(),
        false => {
            let names = scenario.setup.faults.iter().map(|rule| rule.name.to_string());
            let faults = names.collect();
            sansim_language::MayBeIdle { faults, workload: true }
        }
    };
    scenario.seed = Some(run_seed(schedule).into());
    scenario.title = title(base, &scenario, breach);
    scenario.description = format!("Found by sansim explore: {}.", breach.seen);
    scenario.covers = Vec::new();
    scenario.cites = Vec::new();
    let mut vocabulary = Vocabulary::of(&scenario);
    if let Some((name, text)) = &breach.step {
        let step = vocabulary.step(&format!("name = {name:?}, {text}"))?.value;
        vocabulary.know_step(&step);
        let at = match scenario.ending {
            sansim_language::Ending::After(end) => {
                end.saturating_sub(std::time::Duration::from_secs(1))
            }
            sansim_language::Ending::Settled(_) => scenario.limit,
        };
        scenario.steps.push(sansim_language::Step { trigger: Trigger::At(at), ..step });
    }
    scenario.steps.iter().for_each(|step| vocabulary.know_step(step));
    if !breach.expect.is_empty() {
        scenario.expectations = vec![vocabulary.expectation(&breach.expect)?.value];
    }
    Ok(scenario)
}

/// The story in a line: what happens, and the law.
fn title(base: &Base, scenario: &Scenario, breach: &Breach) -> String {
    let family = scenario.setup.first_array().personality.handler();
    let law = Law::of(&breach.law).map_or(breach.law.as_str(), |law| law.sentence());
    let heals = |action: &StepAction| {
        matches!(action, StepAction::Act(Act::Reinstate { .. } | Act::Run { .. }))
    };
    let steps = scenario.steps.iter().skip(base.scenario.steps.len());
    let steps = steps.filter(|step| !heals(&step.action)).map(|step| step.words.clone());
    let rules = scenario.setup.faults.iter().skip(base.scenario.setup.faults.len());
    let rules = rules.map(sansim_language::spoken::fault_words);
    let mut what: Vec<String> = steps.chain(rules).collect();
    what.dedup();
    let mut title = format!("{family}: {law} ({})", what.join("; "));
    if title.chars().count() > 190 {
        title = title.chars().take(187).chain("…)".chars()).collect();
    }
    title
}

/// The text of a scenario's file, with the schedule as a comment.
pub(crate) fn text(scenario: &Scenario, schedule: &Schedule, file: &Path) -> String {
    let file = file.file_name().unwrap_or_default().to_string_lossy();
    format!("# sansim explore {file}, schedule {schedule}\n{}", counted(short_toml(scenario)))
}

/// A story as a scenario file: as it was told, with all that is healed. One that expects nothing, since it has fewer HBAs
/// or LUNs than its scenario, expects what every story does.
pub(crate) fn story_text(schedule: &Schedule, told: &Told, base: &Base) -> String {
    let mut scenario = told.scenario.clone();
    scenario.seed = Some(run_seed(schedule).into());
    if scenario.expectations.is_empty() {
        let bytes = Vocabulary::of(&scenario).expectation(RIGHT_BYTES);
        scenario.expectations.extend(bytes.map(|it| it.value));
    }
    text(&scenario, schedule, &base.file)
}

/// The text with the number of HBAs, where that means the same as the list of what each sees.
fn counted(text: String) -> String {
    let listed = text.lines().find(|line| line.starts_with("targets = "));
    let Some(listed) = listed else { return text };
    let hbas = listed.matches('[').count().saturating_sub(1);
    let shorter = text.replacen(listed, &format!("count = {hbas}"), 1);
    let meant = |text: &str| load_text("", text, &[]).ok().map(|it| resolved_toml(&it));
    if meant(&shorter) == meant(&text) { shorter } else { text }
}

/// How many lines of a file tell what happens: its steps and fault rules.
pub(crate) fn lines_of_story(text: &str) -> usize {
    let mut within = false;
    let told = text.lines().filter(|line| {
        if line.starts_with('[') {
            within = matches!(line.trim(), "[[step]]" | "[[fault]]");
        }
        within && !line.trim().is_empty()
    });
    told.count()
}

/// The name of a finding's directory: `003-errors-fail-mode-select`.
pub(crate) fn name(number: usize, breach: &Breach, plan: &Plan) -> String {
    let telling = |name: &str| name.ends_with(".kind") || name.ends_with(".op");
    let words = plan.choices.iter().filter(|it| it.sort == Sort::Detail && telling(&it.name));
    let words: Vec<String> = words
        .map(|it| it.word.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
        .collect();
    let mut name = format!("{number:03}-{}-{}", breach.law, words.join("-"));
    name.truncate(60);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::AS_WRITTEN;

    #[test]
    fn a_story_of_a_smaller_san_expects_something() {
        let text = "title = \"x\"\n[array]\npersonality = \"rdac\"\nluns = [{ size = \"1MiB\", owner = \"A\" }]\n[[expect]]\ndisks = 4\n";
        let scenario = load_text("x.toml", text, &[]).unwrap();
        let base = Base { file: "x.toml".into(), text: text.into(), scenario, sets: Vec::new() };
        let expectations = |schedule: &Schedule| {
            let told = base.tell(&Plan::of(schedule, &base.scenario)).unwrap();
            let text = story_text(schedule, &told, &base);
            load_text("story.toml", &text, &[]).unwrap().expectations.len()
        };
        assert_eq!(expectations(&Schedule::of(1).with("hbas", "1").with("h1", "off")), 1);
        assert_eq!(expectations(&Schedule::of(1).with("hbas", AS_WRITTEN)), 1);
    }

    #[test]
    fn lines_of_steps_and_rules_are_the_story() {
        let text = "title = \"x\"\n\n[array]\nluns = []\n\n[[fault]]\nwhen = {}\nthen = {}\n\n[[step]]\nat = \"1s\"\nfail = \"controller A\"\n\n[[expect]]\nio = {}\n";
        assert_eq!(lines_of_story(text), 6);
    }
}
