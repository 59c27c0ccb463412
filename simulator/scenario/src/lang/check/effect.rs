//! `then`, and what it is about: the one place that knows what goes together in it.

use std::sync::Arc;

use sansim_array::{
    Action, Answer, CommandFilter, DataFault, Effect, Fate, FunctionFate, FunctionThen, Lose,
    ServiceResponse, Status, Then, Wait,
};

use super::{change::Change, context::Checker};
use crate::lang::{
    file::{self, LoseName, ResponseName, StatusName},
    value::At,
};

/// What a rule catches, and what becomes of that.
pub(super) fn resolve(fault: &At<file::Fault>, checker: &mut Checker<'_>) -> Effect {
    let (when, then) = (&fault.when, &fault.then);
    let action = action(then, checker).map(Box::new);
    common(then, action.is_some(), checker);
    match &when.task_management {
        Some(which) => {
            let fate = function_fate(when, then, checker);
            Effect::OnFunctions { which: which.0, then: FunctionThen { action, fate } }
        }
        None => {
            if let Some(function) = &then.function {
                let help = "write `sense`, `status` or `response`, or `task_management` in `when`";
                let problem = "only task management functions are answered so";
                checker.refuse(&function.span, problem, help);
            }
            let which = CommandFilter {
                op: when.op.as_ref().map(|op| op.0),
                page: when.page.as_ref().map(|page| page.0.0),
                blocks: when.blocks.as_ref().map(|blocks| blocks.0.0.clone()),
            };
            Effect::OnCommands { which, then: Then { action, fate: fate(then) } }
        }
    }
}

/// What is not possible whatever the rule is about.
fn common(then: &At<file::Then>, acts: bool, checker: &mut Checker<'_>) {
    let answers = [
        ("sense", then.sense.is_some()),
        ("status", then.status.is_some()),
        ("response", then.response.is_some()),
        ("function", then.function.is_some()),
    ];
    checker.exclusive(&answers, &then.span);
    let waits = then.delay.is_some() || then.hold.is_some();
    let answered = answers.iter().any(|(_, there)| *there);
    let spoilt = then.short.is_some() || then.corrupt.is_some();
    if let Some(lose) = &then.lose {
        if answered || waits || spoilt {
            let help =
                "what is lost cannot be delayed, held, answered or spoilt; keep `lose` alone";
            checker.refuse(&lose.span, "`lose` goes with nothing else", help);
        }
    } else if !answered && !waits && !spoilt && !acts {
        let help = "write one or more of `sense`, `status`, `response`, `function`, `delay`, `hold`, `lose`, \
                    `short`, `corrupt`, `fail`, `restore`, `set` and `own`";
        checker.refuse(&then.span, "nothing happens here", help);
    }
    if answered && spoilt {
        let problem = "a command that is answered at once has no data that could be spoilt";
        checker.refuse(&then.span, problem, "leave the answer or `short` and `corrupt` away");
    }
    if let Some(delay) = &then.delay
        && delay.is_backwards()
    {
        checker.refuse(&delay.span, "this range is empty", "`from` must not be after `to`");
    }
    if let Some(form) = &then.sense_form
        && then.sense.is_none()
    {
        checker.refuse(&form.span, "`sense_form` goes with `sense`", "remove it");
    }
}

/// What becomes of a command.
fn fate(then: &file::Then) -> Fate {
    if let Some(lose) = &then.lose {
        return Fate::Lost(match lose.value {
            LoseName::Command => Lose::Command,
            LoseName::Reply => Lose::Reply,
            LoseName::Forever => Lose::Forever,
        });
    }
    let wait = Wait {
        delay: then.delay.as_ref().map(|delay| delay.value.into()),
        hold: then.hold.as_ref().map(|hold| Arc::from(hold.value.as_str())),
    };
    if let Some(answer) = answer(then) {
        return Fate::Answered { wait, answer };
    }
    let data = DataFault {
        short: then.short.as_ref().map(|short| u32::try_from(short.0.0).unwrap_or(u32::MAX)),
        corrupt: then.corrupt.as_ref().map(|corrupt| corrupt.value.into()),
    };
    Fate::CarriedOut { wait, data }
}

fn answer(then: &file::Then) -> Option<Answer> {
    if let Some(sense) = &then.sense {
        let form = then.sense_form.as_ref().map(|form| form.value.into()).unwrap_or_default();
        return Some(Answer::Sense(sense.0.with_form(form)));
    }
    let status = then.status.as_ref().map(|name| Answer::Status(status(name.value)));
    status.or_else(|| then.response.as_ref().map(|name| Answer::Response(response(name.value))))
}

/// What becomes of a task management function, which has neither CDB nor data, and is answered at once or
/// never.
fn function_fate(
    when: &file::When,
    then: &At<file::Then>,
    checker: &mut Checker<'_>,
) -> FunctionFate {
    let asked = [
        ("op", when.op.as_ref().map(|it| &it.span)),
        ("page", when.page.as_ref().map(|it| &it.span)),
        ("blocks", when.blocks.as_ref().map(|it| &it.span)),
    ];
    for (key, span) in asked {
        let Some(span) = span else { continue };
        let problem = format!("a task management function has no `{key}`");
        checker.refuse(span, problem, "write a rule for commands, and another one for these");
    }
    let of_commands = then.sense.is_some()
        || then.status.is_some()
        || then.response.is_some()
        || then.delay.is_some()
        || then.hold.is_some()
        || then.short.is_some()
        || then.corrupt.is_some();
    let lost = then.lose.as_ref().map(|lose| lose.value);
    if of_commands || lost.is_some_and(|lost| lost != LoseName::Forever) {
        let help = "write function = \"rejected\", or lose = \"forever\"";
        let problem = "a task management function is answered at once, or never";
        checker.refuse(&then.span, problem, help);
    }
    match &then.function {
        Some(function) => FunctionFate::Answered(function.value.into()),
        None if lost.is_some() => FunctionFate::Lost,
        None => FunctionFate::CarriedOut,
    }
}

/// What happens to the array before the command is gone on with.
fn action(given: &At<file::Then>, checker: &mut Checker<'_>) -> Option<Action> {
    let file::Then { fail, restore, set, own, .. } = &given.value;
    let change = Change { fail, restore, set, own };
    checker.exclusive(&change.keys(), &given.span);
    change.resolve(checker)
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
