//! `[[fault]]`.

use std::{ops::Range, sync::Arc};

use sansim_array::{
    Action, Answer, Chance, ControllerState, FaultRule, Lose, Matches, PersonalityConfig,
    ServiceResponse, Stage, Status, Then, When,
};

use super::{
    context::{Checker, NO_LIMIT},
    impossible,
};
use crate::lang::{
    Diagnostic,
    file::{self, LoseName, ResponseName, StageName, StatusName},
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
            then: then(&fault.then, checker),
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
        op: given.op.as_ref().map(|op| op.0),
        page: given.page.as_ref().map(|page| page.0.0),
        task_management: given.task_management.as_ref().map(|it| it.0),
        controller: given.controller.as_ref().map(|name| checker.controller(name)),
        port: given.port.as_ref().map(|name| checker.port(name)),
        hba: given.hba.as_ref().map(|hba| checker.hba(hba)),
        lun: given.lun.as_ref().map(|lun| checker.lun(lun)),
        blocks: given.blocks.as_ref().map(|blocks| blocks.0.0.clone()),
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

fn then(given: &At<file::Then>, checker: &mut Checker<'_>) -> Then {
    let answers = [
        ("sense", given.sense.is_some()),
        ("status", given.status.is_some()),
        ("response", given.response.is_some()),
        ("function", given.function.is_some()),
    ];
    checker.exclusive(&answers, &given.span);
    let waits = given.delay.is_some() || given.hold.is_some();
    let answered = answers.iter().any(|(_, there)| *there);
    let wrong = given.short.is_some() || given.corrupt.is_some();
    let action = action(given, checker);
    if let Some(lose) = &given.lose {
        if answered || waits || wrong {
            let help =
                "what is lost cannot be delayed, held, answered or spoilt; keep `lose` alone";
            checker.refuse(&lose.span, "`lose` goes with nothing else", help);
        }
    } else if !answered && !waits && !wrong && action.is_none() {
        let help = "write one or more of `sense`, `status`, `response`, `function`, `delay`, `hold`, `lose`, \
                    `short`, `corrupt`, `fail`, `restore`, `set` and `own`";
        checker.refuse(&given.span, "nothing happens here", help);
    }
    if answered && wrong {
        let problem = "a command that is answered at once has no data that could be spoilt";
        checker.refuse(&given.span, problem, "leave the answer or `short` and `corrupt` away");
    }
    if let Some(delay) = &given.delay
        && delay.is_backwards()
    {
        checker.refuse(&delay.span, "this range is empty", "`from` must not be after `to`");
    }
    if let Some(form) = &given.sense_form
        && given.sense.is_none()
    {
        checker.refuse(&form.span, "`sense_form` goes with `sense`", "remove it");
    }
    let answer = if let Some(sense) = &given.sense {
        let form = given.sense_form.as_ref().map(|form| form.value.into()).unwrap_or_default();
        Some(Answer::Sense(sense.0.with_form(form)))
    } else if let Some(name) = &given.status {
        Some(Answer::Status(status(name.value)))
    } else if let Some(name) = &given.function {
        Some(Answer::Function(name.value.into()))
    } else {
        given.response.as_ref().map(|name| Answer::Response(response(name.value)))
    };
    Then {
        action: action.map(Box::new),
        delay: given.delay.as_ref().map(|delay| delay.value.into()),
        hold: given.hold.as_ref().map(|hold| Arc::from(hold.value.as_str())),
        lose: given.lose.as_ref().map(|lose| match lose.value {
            LoseName::Command => Lose::Command,
            LoseName::Reply => Lose::Reply,
            LoseName::Forever => Lose::Forever,
        }),
        answer,
        short: given.short.as_ref().map(|short| u32::try_from(short.0.0).unwrap_or(u32::MAX)),
        corrupt: given.corrupt.as_ref().map(|corrupt| corrupt.value.into()),
    }
}

/// What happens to the array before the command is gone on with.
fn action(given: &At<file::Then>, checker: &mut Checker<'_>) -> Option<Action> {
    let keys = [
        ("fail", given.fail.is_some()),
        ("restore", given.restore.is_some()),
        ("set", given.set.is_some()),
        ("own", given.own.is_some()),
    ];
    checker.exclusive(&keys, &given.span);
    let set = |controller, state| Action::SetController { controller, state };
    if let Some(part) = &given.fail {
        checker.known_controller(part.0.0, &part.span);
        Some(set(part.0.0, ControllerState::Failed))
    } else if let Some(part) = &given.restore {
        checker.known_controller(part.0.0, &part.span);
        Some(set(part.0.0, ControllerState::Online))
    } else if let Some(state) = &given.set {
        Some(set(checker.controller(&state.controller), state.state.0))
    } else {
        let own = given.own.as_ref()?;
        let controller = checker.controller(&own.controller);
        Some(Action::SetOwner { lun: checker.lun(&own.lun), controller })
    }
}

/// The status of a name.
pub(super) fn status(name: StatusName) -> Status {
    match name {
        StatusName::Good => Status::Good,
        StatusName::CheckCondition => Status::CheckCondition,
        StatusName::ConditionMet => Status::ConditionMet,
        StatusName::Undefined => Status::Undefined,
        StatusName::Busy => Status::Busy,
        StatusName::ReservationConflict => Status::ReservationConflict,
        StatusName::TaskSetFull => Status::TaskSetFull,
        StatusName::AcaActive => Status::AcaActive,
        StatusName::TaskAborted => Status::TaskAborted,
    }
}

fn response(name: ResponseName) -> ServiceResponse {
    match name {
        ResponseName::Overrun => ServiceResponse::Overrun,
        ResponseName::Aborted => ServiceResponse::Aborted,
        ResponseName::BadTarget => ServiceResponse::BadTarget,
        ResponseName::Reset => ServiceResponse::Reset,
        ResponseName::Busy => ServiceResponse::Busy,
        ResponseName::TransportFailure => ServiceResponse::TransportFailure,
        ResponseName::TargetFailure => ServiceResponse::TargetFailure,
        ResponseName::NexusFailure => ServiceResponse::NexusFailure,
        ResponseName::Failure => ServiceResponse::Failure,
        ResponseName::Unknown => ServiceResponse::Unknown,
    }
}
