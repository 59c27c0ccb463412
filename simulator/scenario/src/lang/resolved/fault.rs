//! `[[fault]]`.

use sansim_array::{
    Action, Answer, FaultRule, Lose, Matches, SenseForm, ServiceResponse, Stage, Status, Then, When,
};

use super::{at, name, span, step};
use crate::lang::{
    file::{
        self, ControllersAre, LoseName, NumberRange, PageName, ResponseName, StageName, StatusName,
    },
    value::{At, Size},
};

pub(super) fn fault(rule: &FaultRule) -> file::Fault {
    file::Fault {
        name: Some(at(rule.name.to_string())),
        when: when(&rule.when),
        then: at(then(&rule.then)),
        armed: Some(rule.armed),
    }
}

fn when(when: &When) -> file::When {
    let mut table = file::When {
        op: when.op.map(name),
        page: when.page.map(|page| name(PageName(page))),
        task_management: when.task_management.map(name),
        controller: when.controller.map(name),
        port: when.port.map(name),
        hba: when.hba.map(|hba| at(hba.0.into())),
        lun: when.lun.map(|lun| at(lun.0.into())),
        blocks: when.blocks.clone().map(|blocks| name(NumberRange(blocks))),
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

fn then(then: &Then) -> file::Then {
    let mut table = file::Then {
        delay: then.delay.map(|delay| at(delay.into())),
        hold: then.hold.as_ref().map(|hold| At::nowhere(hold.to_string())),
        lose: then.lose.map(|lose| match lose {
            Lose::Command => at(LoseName::Command),
            Lose::Reply => at(LoseName::Reply),
            Lose::Forever => at(LoseName::Forever),
        }),
        short: then.short.map(|bytes| name(Size(bytes.into()))),
        corrupt: then.corrupt.map(|corrupt| at(corrupt.into())),
        ..Default::default()
    };
    match then.answer {
        None => {}
        Some(Answer::Sense(sense)) => {
            table.sense = Some(name(sense));
            let form = Some(sense.form()).filter(|form| *form != SenseForm::default());
            table.sense_form = form.map(|form| at(form.into()));
        }
        Some(Answer::Status(code)) => table.status = Some(at(status(code))),
        Some(Answer::Response(code)) => table.response = Some(at(response(code))),
        Some(Answer::Function(code)) => table.function = Some(at(code.into())),
    }
    match then.action.as_deref() {
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
    table
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
