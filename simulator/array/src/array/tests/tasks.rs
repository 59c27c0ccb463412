//! Task management of parked commands.

use super::*;
use crate::{
    Action, ControllerId, ControllerState, FunctionFate, FunctionThen, Notice, ServiceResponse,
    Status, TaskManagement, TmfResponse,
};

/// Parks three commands on LUN 0: tags 1 and 2 from nexus A, tag 3 from nexus B.
fn waiting() -> (Rig, [Sent; 3]) {
    let rig = Rig::with_faults(vec![rule("r", "READ", Matches::All, hold("h"))]);
    let sent = [(A, 1), (A, 2), (B, 3)]
        .map(|(nexus, tag)| Sent::parked(&rig, at(0), nexus, tag, &read(0, 1), &[]));
    (rig, sent)
}

fn manage(
    rig: &Rig,
    nexus: Nexus,
    lun: Lun,
    function: TaskManagement,
) -> (TmfResponse, Vec<(Ticket, ServiceResponse)>) {
    let (response, ended) = rig.array.task_management(at(9), nexus, lun, function);
    (
        response.expect("it is answered"),
        ended.into_iter().map(|(ticket, completion)| (ticket, completion.response)).collect(),
    )
}

#[test]
fn abort_task_ends_that_one() {
    let (rig, [first, second, _]) = waiting();
    let ended = manage(&rig, A, LUN0, TaskManagement::AbortTask { tag: 1 });
    assert_eq!(ended, (TmfResponse::Complete, vec![(first.ticket(), ServiceResponse::Aborted)]));
    assert_eq!(rig.records().len(), 1, "it is reported");
    assert_eq!(rig.records()[0].completion.residual, 512);
    let again = manage(&rig, A, LUN0, TaskManagement::AbortTask { tag: 1 });
    assert_eq!(again, (TmfResponse::Complete, vec![]), "it is gone");
    let others = manage(&rig, B, LUN0, TaskManagement::AbortTask { tag: 2 });
    assert_eq!(others, (TmfResponse::Complete, vec![]), "another nexus's tag is another command");
    let found = manage(&rig, A, LUN0, TaskManagement::QueryTask { tag: 2 });
    assert_eq!(found, (TmfResponse::Succeeded, vec![]));
    drop(second);
}

#[test]
fn abort_task_set_ends_those_of_the_nexus() {
    let (rig, [first, second, _]) = waiting();
    let aborted = |sent: &Sent| (sent.ticket(), ServiceResponse::Aborted);
    let ended = manage(&rig, A, LUN0, TaskManagement::AbortTaskSet);
    assert_eq!(ended, (TmfResponse::Complete, vec![aborted(&first), aborted(&second)]));
    assert_eq!(manage(&rig, A, LUN0, TaskManagement::QueryTaskSet).0, TmfResponse::Complete);
    assert_eq!(manage(&rig, B, LUN0, TaskManagement::QueryTaskSet).0, TmfResponse::Succeeded);
}

#[test]
fn a_lun_reset_ends_everybodys_and_tells_the_others() {
    let (rig, [first, second, third]) = waiting();
    let reset = |sent: &Sent| (sent.ticket(), ServiceResponse::Reset);
    let ended = manage(&rig, A, LUN0, TaskManagement::LogicalUnitReset);
    assert_eq!(ended, (TmfResponse::Complete, vec![reset(&first), reset(&second)]));
    assert_eq!(rig.array.notices(at(9), A.hba), []);
    assert_eq!(rig.array.notices(at(9), B.hba), [Notice::Resume(third.ticket())]);
    assert_eq!(third.finish(&rig, at(9)).completion.response, ServiceResponse::Reset);
    assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), "06/29/03");
    rig.get(A, LUN0, &TEST_UNIT_READY, 0);
    rig.get(B, LUN1, &TEST_UNIT_READY, 0);
}

#[test]
fn a_lun_reset_brings_saved_mode_pages_back() {
    let rig = Rig::ready();
    let tas = || rig.get(A, LUN0, &[0x1a, 8, 0x0a, 0, 16, 0], 16)[9];
    let list = [0, 0, 0, 0, 0x0a, 10, 0, 0x10, 0, 0x40, 0, 0, 0, 0, 0, 0];
    rig.put(A, LUN0, &[0x15, 0x10, 0, 0, 16, 0], &list);
    assert_eq!(tas(), 0x40);
    manage(&rig, A, LUN0, TaskManagement::LogicalUnitReset);
    assert_eq!(tas(), 0);
    rig.put(A, LUN0, &[0x15, 0x11, 0, 0, 16, 0], &list);
    manage(&rig, A, LUN0, TaskManagement::LogicalUnitReset);
    assert_eq!(tas(), 0x40, "saved");
}

#[test]
fn a_nexus_reset_ends_its_own_on_every_lun() {
    let (rig, [first, second, third]) = waiting();
    let reset = |sent: &Sent| (sent.ticket(), ServiceResponse::Reset);
    let ended = manage(&rig, A, NO_LUN, TaskManagement::ItNexusReset);
    assert_eq!(ended, (TmfResponse::Complete, vec![reset(&first), reset(&second)]));
    assert_eq!(rig.sense(A, LUN1, &TEST_UNIT_READY, &[]), "06/29/07");
    assert_eq!(
        manage(&rig, B, LUN0, TaskManagement::QueryTask { tag: third.tag }).0,
        TmfResponse::Succeeded
    );
}

#[test]
fn clearing_a_task_set_tells_another_nexus_as_it_wishes() {
    for tas in [false, true] {
        let (rig, [.., third]) = waiting();
        let list = [0, 0, 0, 0, 0x0a, 10, 0, 0x10, 0, u8::from(tas) << 6, 0, 0, 0, 0, 0, 0];
        rig.put(B, LUN0, &[0x15, 0x10, 0, 0, 16, 0], &list);
        assert_eq!(manage(&rig, A, LUN0, TaskManagement::ClearTaskSet).1.len(), 2);
        let completion = third.finish(&rig, at(9)).completion;
        if tas {
            assert_eq!(completion.status, Status::TaskAborted);
            rig.get(B, LUN0, &TEST_UNIT_READY, 0);
        } else {
            assert_eq!(completion.response, ServiceResponse::Aborted);
            assert_eq!(rig.sense(B, LUN0, &TEST_UNIT_READY, &[]), "06/2f/00");
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let rig = Rig::ready();
    let function = TaskManagement::LogicalUnitReset;
    assert_eq!(manage(&rig, A, NO_LUN, function).0, TmfResponse::IncorrectLun);
    assert_eq!(manage(&rig, A, LUN0, TaskManagement::ClearAca).0, TmfResponse::Rejected);
    let (controller, state) = (ControllerId::A, ControllerState::Failed);
    rig.array.apply(at(0), Action::SetController { controller, state }).unwrap();
    assert_eq!(manage(&rig, A, LUN0, function).0, TmfResponse::Rejected);
}

/// A fault rule about task management functions.
fn tasks(function: &str, matches: Matches, fate: FunctionFate) -> FaultRule {
    let then = FunctionThen { action: None, fate };
    let when = When { matches, ..When::default() };
    FaultRule { when, ..FaultRule::on_functions("tasks", function.parse().unwrap(), then) }
}

#[test]
fn a_rule_refuses_a_function_and_counts_it() {
    let refuse = FunctionFate::Answered(TmfResponse::Rejected);
    let rig = Rig::with_faults(vec![
        rule("r", "READ", Matches::All, hold("h")),
        tasks("ABORT TASK", Matches::First(1), refuse),
    ]);
    let sent = Sent::parked(&rig, at(0), A, 1, &read(0, 1), &[]);
    let abort = TaskManagement::AbortTask { tag: 1 };
    assert_eq!(manage(&rig, A, LUN0, abort), (TmfResponse::Rejected, vec![]), "it waits on");
    let (response, ended) = manage(&rig, A, LUN0, abort);
    assert_eq!((response, ended.len()), (TmfResponse::Complete, 1));
    assert_eq!(rig.array.rule_matches()[1], ("tasks".into(), 1));
    drop(sent);
    let told = rig.changes().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(told.contains(&"hba0:A0 LUN 0: ABORT TASK: FUNCTION REJECTED".into()), "{told:?}");
}

#[test]
fn a_rule_leaves_a_function_unanswered_and_commands_alone() {
    let rig = Rig::with_faults(vec![tasks("any", Matches::All, FunctionFate::Lost)]);
    let reset = TaskManagement::LogicalUnitReset;
    assert_eq!(rig.array.task_management(at(9), A, LUN0, reset), (None, vec![]));
    rig.good(A, LUN0, &TEST_UNIT_READY);
    rig.good(B, LUN0, &TEST_UNIT_READY);
}
