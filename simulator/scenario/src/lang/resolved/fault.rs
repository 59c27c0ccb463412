//! `[[fault]]`.

use sansim_array::{
    Action, Answer, DataFault, Effect, Fate, FaultRule, FunctionFate, FunctionThen, Lose, Matches,
    SenseForm, ServiceResponse, Stage, Status, Then, Wait, When,
};

use super::{at, name, span, step};
use crate::lang::{
    file::{
        self, ControllersAre, LoseName, NumberRange, PageName, ResponseName, StageName, StatusName,
    },
    value::{At, Size},
};

pub(super) fn fault(rule: &FaultRule) -> file::Fault {
    let mut when = when(&rule.when);
    let then = match &rule.effect {
        Effect::OnCommands { which, then } => {
            when.op = which.op.map(name);
            when.page = which.page.map(|page| name(PageName(page)));
            when.blocks = which.blocks.clone().map(|blocks| name(NumberRange(blocks)));
            of_command(then)
        }
        Effect::OnFunctions { which, then } => {
            when.task_management = Some(name(*which));
            of_function(then)
        }
    };
    file::Fault {
        name: Some(at(rule.name.to_string())),
        when,
        then: at(then),
        armed: Some(rule.armed),
    }
}

fn when(when: &When) -> file::When {
    let mut table = file::When {
        controller: when.controller.map(name),
        port: when.port.map(name),
        hba: when.hba.map(|hba| at(hba.0.into())),
        lun: when.lun.map(|lun| at(lun.0.into())),
        stage: Some(stage(when.stage)),
        from: when.from.map(span),
        until: when.until.map(span),
        state: (!when.states.is_empty()).then(|| name(ControllersAre(when.states.clone()))),
        owner: when.owner.map(name),
        chance: when.chance.map(|chance| at(chance.probability())),
        ..Default::default()
    };
    match &when.matches {
        Matches::All => {}
        Matches::First(count) => table.first = Some(at(*count)),
        Matches::Nth(count) => table.nth = Some(at(*count)),
        Matches::Every(count) => table.every = Some(at(*count)),
        Matches::Range(range) => table.matches = Some(name(NumberRange(range.clone()))),
    }
    table
}

pub(super) fn stage(stage: Option<Stage>) -> StageName {
    match stage {
        Some(Stage::Story) => StageName::Story,
        Some(Stage::Discovery) => StageName::Discovery,
        None => StageName::Any,
    }
}

fn of_command(then: &Then) -> file::Then {
    let mut table = file::Then::default();
    match &then.fate {
        Fate::CarriedOut { wait, data: DataFault { short, corrupt } } => {
            waiting(wait, &mut table);
            table.short = short.map(|bytes| name(Size(bytes.into())));
            table.corrupt = corrupt.map(|corrupt| at(corrupt.into()));
        }
        Fate::Answered { wait, answer } => {
            waiting(wait, &mut table);
            answered(*answer, &mut table);
        }
        Fate::Lost(lose) => {
            table.lose = Some(at(match lose {
                Lose::Command => LoseName::Command,
                Lose::Reply => LoseName::Reply,
                Lose::Forever => LoseName::Forever,
            }));
        }
    }
    acting(then.action.as_deref(), &mut table);
    table
}

fn of_function(then: &FunctionThen) -> file::Then {
    let mut table = file::Then::default();
    match then.fate {
        FunctionFate::CarriedOut => {}
        FunctionFate::Answered(code) => table.function = Some(at(code.into())),
        FunctionFate::Lost => table.lose = Some(at(LoseName::Forever)),
    }
    acting(then.action.as_deref(), &mut table);
    table
}

fn waiting(Wait { delay, hold }: &Wait, table: &mut file::Then) {
    table.delay = delay.map(|delay| at(delay.into()));
    table.hold = hold.as_ref().map(|hold| At::nowhere(hold.to_string()));
}

fn answered(answer: Answer, table: &mut file::Then) {
    match answer {
        Answer::Sense(sense) => {
            table.sense = Some(name(sense));
            let form = Some(sense.form()).filter(|form| *form != SenseForm::default());
            table.sense_form = form.map(|form| at(form.into()));
        }
        Answer::Status(code) => table.status = Some(at(status(code))),
        Answer::Response(code) => table.response = Some(at(response(code))),
    }
}

fn acting(action: Option<&Action>, table: &mut file::Then) {
    match action {
        Some(Action::SetController { controller, state }) => {
            let (controller, state) = (name(*controller), name(*state));
            table.set = Some(file::SetState { controller, state });
        }
        Some(Action::SetOwner { lun, controller }) => {
            table.own = Some(step::owner(*lun, *controller));
        }
        // No scenario can ask for another one.
        _ => {}
    }
}

pub(super) fn status(status: Status) -> StatusName {
    match status {
        Status::Good => StatusName::Good,
        Status::CheckCondition => StatusName::CheckCondition,
        Status::ConditionMet => StatusName::ConditionMet,
        Status::Undefined => StatusName::Undefined,
        Status::Busy => StatusName::Busy,
        Status::ReservationConflict => StatusName::ReservationConflict,
        Status::TaskSetFull => StatusName::TaskSetFull,
        Status::AcaActive => StatusName::AcaActive,
        Status::TaskAborted => StatusName::TaskAborted,
    }
}

fn response(response: ServiceResponse) -> ResponseName {
    match response {
        ServiceResponse::Overrun => ResponseName::Overrun,
        ServiceResponse::Aborted => ResponseName::Aborted,
        ServiceResponse::BadTarget => ResponseName::BadTarget,
        ServiceResponse::Reset => ResponseName::Reset,
        ServiceResponse::Busy => ResponseName::Busy,
        ServiceResponse::TransportFailure => ResponseName::TransportFailure,
        ServiceResponse::TargetFailure => ResponseName::TargetFailure,
        ServiceResponse::NexusFailure => ResponseName::NexusFailure,
        ServiceResponse::Unknown => ResponseName::Unknown,
        // No scenario can ask for a response that is no fault.
        ServiceResponse::Ok | ServiceResponse::Failure => ResponseName::Failure,
    }
}
