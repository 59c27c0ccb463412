//! `[[fault]]`.

use std::{ops::Range, sync::Arc};

use sansim_array::{Chance, FaultRule, Matches, PersonalityConfig, Stage, When};

use super::{
    context::{Checker, NO_LIMIT},
    effect, impossible,
};
use crate::lang::{
    Diagnostic,
    file::{self, StageName},
    value::At,
};

pub(super) fn resolve(
    faults: &[At<file::Fault>],
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) -> Vec<FaultRule> {
    let names = checker.rules.clone();
    for fault in faults {
        warn_of_strange_operation(&fault.when, personality, checker);
        impossible::refuse(fault, checker);
    }
    faults
        .iter()
        .zip(names)
        .map(|(fault, name)| FaultRule {
            name: Arc::from(name),
            when: when(&fault.when, &fault.span, checker),
            effect: effect::resolve(fault, checker),
            armed: fault.armed.unwrap_or(true),
        })
        .collect()
}

/// An operation that no handler of such an array sends, since it carries none out, is most likely
/// another one's; a program of the guest can send it all the same.
fn warn_of_strange_operation(
    when: &file::When,
    personality: &PersonalityConfig,
    checker: &mut Checker<'_>,
) {
    let Some(op) = when.op.as_ref().filter(|op| !personality.supports(op.0)) else { return };
    let warning = format!("an array of this personality does not carry out {}", op.0);
    let help = format!(
        "only a program of the guest could send it; the handler `{}` does not",
        personality.handler()
    );
    checker.report(&op.span, Diagnostic::warning(warning).help(help));
}

fn when(given: &file::When, span: &Range<usize>, checker: &mut Checker<'_>) -> When {
    if let (Some(controller), Some(port)) = (&given.controller, &given.port)
        && port.0.controller != controller.0
    {
        let problem = format!("port {} is not controller {}'s", port.0, controller.0);
        checker.refuse(&port.span, problem, "one of the two is enough");
    }
    let from = given.from.as_ref().map(|from| checker.story_time(from));
    let until = given.until.as_ref().map(|until| checker.story_time(until));
    if let (Some(from), Some(until), Some(place)) = (from, until, &given.until)
        && from >= until
    {
        checker.refuse(&place.span, "this ends before it begins", "`until` must be after `from`");
    }
    let stage = stage(given.stage);
    if let Some(timed) = given.from.as_ref().or(given.until.as_ref())
        && stage != Some(Stage::Story)
    {
        let help = "without times, or with stage = \"story\"";
        checker.refuse(&timed.span, "only the story has times", help);
    }
    When {
        controller: given.controller.as_ref().map(|name| checker.controller(name)),
        port: given.port.as_ref().map(|name| checker.port(name)),
        hba: given.hba.as_ref().map(|hba| checker.hba(hba)),
        lun: given.lun.as_ref().map(|lun| checker.lun(lun)),
        stage,
        from,
        until,
        matches: matches(given, span, checker),
        states: given.state.as_ref().map_or(Vec::new(), |states| {
            states.0.0.iter().for_each(|(it, _)| checker.known_controller(*it, &states.span));
            states.0.0.clone()
        }),
        owner: given.owner.as_ref().map(|name| checker.controller(name)),
        chance: given.chance.as_ref().and_then(|chance| {
            let resolved = Chance::new(chance.value);
            if resolved.is_none() {
                let help = "write for instance 0.1";
                checker.refuse(&chance.span, "a chance is above 0 and at most 1", help);
            }
            resolved
        }),
    }
}

/// The stage a condition is about; the story unless something else is written.
pub(super) fn stage(given: Option<StageName>) -> Option<Stage> {
    match given {
        None | Some(StageName::Story) => Some(Stage::Story),
        Some(StageName::Discovery) => Some(Stage::Discovery),
        Some(StageName::Any) => None,
    }
}

fn matches(given: &file::When, span: &Range<usize>, checker: &mut Checker<'_>) -> Matches {
    checker.exclusive(
        &[
            ("first", given.first.is_some()),
            ("nth", given.nth.is_some()),
            ("every", given.every.is_some()),
            ("matches", given.matches.is_some()),
        ],
        span,
    );
    let mut count =
        |number: &At<u64>, what: &str| checker.number(Some(number), 1..=NO_LIMIT, 1, what);
    if let Some(first) = &given.first {
        Matches::First(count(first, "`first`"))
    } else if let Some(nth) = &given.nth {
        Matches::Nth(count(nth, "`nth`"))
    } else if let Some(every) = &given.every {
        Matches::Every(count(every, "`every`"))
    } else if let Some(range) = &given.matches {
        if *range.0.0.start() == 0 {
            checker.report(&range.span, Diagnostic::error("commands are counted from 1"));
        }
        Matches::Range(range.0.0.clone())
    } else {
        Matches::All
    }
}
