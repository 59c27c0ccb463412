//! `[[expect]]`.

use sansim_array::Lun;

use super::{at, fault, name, span, step};
use crate::lang::{
    file::{self, PathStateName, UeventName},
    plan::{
        CommandCount, Condition, Deadline, Expectation, IoLimits, PathState, Scenario, TextMatch,
    },
};

pub(super) fn expect(expectation: &Expectation, scenario: &Scenario) -> file::Expect {
    let lun = expectation.conditions.iter().find_map(map_lun).unwrap_or(scenario.main_lun());
    let mut table = file::Expect { lun: Some(at(lun.0.into())), ..Default::default() };
    match expectation.when {
        Deadline::By(time) => table.by = Some(span(time)),
        Deadline::At(time) => table.at = Some(span(time)),
        Deadline::Never => table.never = Some(at(true)),
        Deadline::End => {}
    }
    for one in &expectation.conditions {
        condition(one, &mut table);
    }
    table.because = Some(expectation.because.clone()).filter(|text| !text.is_empty());
    table.kernel = expectation.on.kernel.clone().map(name);
    table.multipath_tools = expectation.on.multipath_tools.clone().map(name);
    let known = expectation.known.iter().map(|known| file::KnownFailure {
        kernel: known.on.kernel.clone().map(name),
        multipath_tools: known.on.multipath_tools.clone().map(name),
        because: known.because.clone(),
    });
    table.known.0.extend(known);
    table
}

/// The LUN whose map a condition is about. All conditions of one table share it.
fn map_lun(condition: &Condition) -> Option<Lun> {
    match condition {
        Condition::Rounds { lun, .. }
        | Condition::RoundsNow { lun, .. }
        | Condition::Group { lun, .. }
        | Condition::Bypassed { lun, .. } => Some(*lun),
        Condition::Paths(totals) => Some(totals.lun),
        Condition::Path(expected) => Some(expected.lun),
        Condition::Uevents(wanted) => Some(wanted.lun),
        _ => None,
    }
}

fn condition(condition: &Condition, table: &mut file::Expect) {
    match condition {
        Condition::Owner { lun, controller } => table.owner.0.push(step::owner(*lun, *controller)),
        Condition::Io(limits) => table.io = Some(io(limits)),
        Condition::Commands(wanted) => table.commands.0.push(commands(wanted)),
        Condition::Rounds { count, .. } => table.rounds = Some(count.clone()),
        Condition::RoundsNow { count, .. } => table.rounds_at_end = Some(at(count.clone())),
        Condition::Paths(totals) => {
            let (failed, active) = (totals.failed.clone(), totals.active.clone());
            table.paths = Some(file::Paths { failed, active });
        }
        Condition::Path(expected) => table.path.0.push(file::PathWithState {
            port: name(expected.path.port),
            hba: expected.path.hba.map(|hba| at(hba.0.into())),
            state: match expected.state {
                PathState::Active => PathStateName::Active,
                PathState::Failed => PathStateName::Failed,
            },
        }),
        Condition::Group { current, .. } => {
            table.group.get_or_insert_default().current = Some(current.clone());
        }
        Condition::Bypassed { count, .. } => {
            table.group.get_or_insert_default().bypassed = Some(count.clone());
        }
        Condition::Log(wanted) => {
            let (contains, matches) = text(Some(&wanted.text));
            let count = Some(wanted.count.clone());
            table.log.0.push(file::Log { contains, matches, count, ..Default::default() });
        }
        Condition::Ran(wanted) => {
            let (contains, matches) = text(wanted.output.as_ref());
            let (step, code) = (at(wanted.step.clone()), wanted.code.clone());
            table.ran.0.push(file::RanTable { step, code, contains, matches });
        }
        Condition::Fault(wanted) => table
            .fault
            .0
            .push(file::FaultFired { name: at(wanted.name.clone()), fired: wanted.fired.clone() }),
        Condition::Uevents(wanted) => table.uevents.0.push(file::Uevents {
            action: if wanted.action == "PATH_FAILED" {
                UeventName::PathFailed
            } else {
                UeventName::PathReinstated
            },
            count: Some(wanted.count.clone()),
            at_least: None,
            at_most: None,
            exactly: None,
        }),
    }
}

type Words = Option<crate::lang::value::At<String>>;

/// `contains` and `matches`, of which one is there.
fn text(text: Option<&TextMatch>) -> (Words, Words) {
    match text {
        Some(TextMatch::Contains(part)) => (Some(at(part.clone())), None),
        Some(TextMatch::Matches(regex)) => (None, Some(at(regex.as_str().to_owned()))),
        None => (None, None),
    }
}

fn io(limits: &IoLimits) -> file::Io {
    file::Io {
        errors: limits.errors.clone(),
        corrupt: limits.corrupt.clone(),
        longest_stall: limits.longest_stall.clone(),
        reads: limits.reads.clone(),
        writes: limits.writes.clone(),
        stuck: limits.stuck.clone(),
    }
}

fn commands(wanted: &CommandCount) -> file::Commands {
    file::Commands {
        op: wanted.op.map(name),
        controller: wanted.controller.map(name),
        port: wanted.port.map(name),
        hba: wanted.hba.map(|hba| at(hba.0.into())),
        lun: wanted.lun.map(|lun| at(lun.0.into())),
        sense: wanted.sense.map(name),
        status: wanted.status.map(fault::status),
        fault: wanted.fault.clone().map(at),
        stage: Some(fault::stage(wanted.stage)),
        gap: wanted.gap.clone(),
        count: Some(wanted.count.clone()),
        at_least: None,
        at_most: None,
        exactly: None,
    }
}
