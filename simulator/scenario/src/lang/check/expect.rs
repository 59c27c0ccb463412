//! `[[expect]]`.

use sansim_array::Lun;

use super::{context::Checker, effect, fault, guest::regex};
use crate::lang::{
    file::{self, Name, PathStateName, UeventName},
    near,
    plan::{
        CommandCount, Condition, Deadline, Expectation, FaultCount, IoLimits, Known, LogCount,
        PathExpected, PathPattern, PathState, PathTotals, Ran, Ranges, TextMatch, UeventCount,
    },
    value::{At, Comparison, VersionRange},
};

/// The keys that are conditions.
const CONDITIONS: [&str; 12] = [
    "owner",
    "io",
    "commands",
    "rounds",
    "rounds_at_end",
    "paths",
    "path",
    "group",
    "log",
    "ran",
    "fault",
    "uevents",
];

/// A range as it is written.
type Range = Name<VersionRange>;

pub(super) fn resolve(expects: &[At<file::Expect>], checker: &mut Checker<'_>) -> Vec<Expectation> {
    expects
        .iter()
        .map(|expect| {
            let when = deadline(expect, checker);
            let conditions = conditions(expect, when, checker);
            let known = expect.known.iter();
            Expectation {
                when,
                conditions,
                because: expect.because.clone().unwrap_or_default(),
                on: ranges(&expect.kernel, &expect.multipath_tools),
                known: known.map(|known| known_failure(known, expect, checker)).collect(),
            }
        })
        .collect()
}

fn ranges(kernel: &Option<Range>, multipath_tools: &Option<Range>) -> Ranges {
    let range = |given: &Option<Range>| given.as_ref().map(|range| range.0.clone());
    Ranges { kernel: range(kernel), multipath_tools: range(multipath_tools) }
}

fn known_failure(
    known: &file::KnownFailure,
    expect: &At<file::Expect>,
    checker: &mut Checker<'_>,
) -> Known {
    let on = ranges(&known.kernel, &known.multipath_tools);
    if on == Ranges::default() {
        let problem = "a failure that is known everywhere is what should be expected";
        let help = "write `kernel`, `multipath_tools` or both into `known`";
        checker.refuse(&expect.span, problem, help);
    }
    Known { on, because: known.because.clone() }
}

fn deadline(expect: &At<file::Expect>, checker: &mut Checker<'_>) -> Deadline {
    let never = expect.never.as_ref();
    let keys =
        [("by", expect.by.is_some()), ("at", expect.at.is_some()), ("never", never.is_some())];
    checker.exclusive(&keys, &expect.span);
    if let Some(by) = &expect.by {
        Deadline::By(checker.story_time(by))
    } else if let Some(at) = &expect.at {
        Deadline::At(checker.story_time(at))
    } else if let Some(never) = never {
        if !never.value {
            checker.refuse(&never.span, "`never` is true or not there", "remove it");
        }
        Deadline::Never
    } else {
        Deadline::End
    }
}

fn conditions(
    expect: &At<file::Expect>,
    when: Deadline,
    checker: &mut Checker<'_>,
) -> Vec<Condition> {
    let lun = checker.lun_or_main(expect.lun.as_ref());
    let mut all = Vec::new();
    for owner in expect.owner.iter() {
        let controller = checker.controller(&owner.controller);
        all.push(Condition::Owner { lun: checker.lun(&owner.lun), controller });
    }
    if let Some(io) = &expect.io {
        all.push(Condition::Io(io_limits(io, &expect.span, checker)));
    }
    for count in expect.commands.iter() {
        all.push(Condition::Commands(Box::new(command_count(count, &expect.span, checker))));
    }
    map_conditions(expect, lun, when, &mut all, checker);
    for log in expect.log.iter() {
        if let Some(text) = text(log.contains.as_ref(), log.matches.as_ref(), &expect.span, checker)
        {
            let count =
                count(&log.count, [log.at_least, log.at_most, log.exactly], &expect.span, checker);
            all.push(Condition::Log(LogCount { text, count }));
        } else if log.contains.is_none() && log.matches.is_none() {
            checker.refuse(&expect.span, "no text is given here", "write `contains` or `matches`");
        }
    }
    all.extend(expect.ran.iter().map(|ran| Condition::Ran(program(ran, checker))));
    for fault in expect.fault.iter() {
        let name = checker.rule(&fault.name);
        all.push(Condition::Fault(FaultCount { name, fired: fault.fired.clone() }));
    }
    if !expects_something(expect) {
        let problem = "nothing is expected here";
        checker.refuse(&expect.span, problem, near::help("", &CONDITIONS));
    }
    all
}

fn expects_something(expect: &file::Expect) -> bool {
    let lists = expect.owner.len()
        + expect.commands.len()
        + expect.path.len()
        + expect.log.len()
        + expect.ran.len()
        + expect.fault.len()
        + expect.uevents.len();
    lists > 0
        || expect.io.is_some()
        || expect.rounds.is_some()
        || expect.rounds_at_end.is_some()
        || expect.paths.is_some()
        || expect.group.is_some()
}

/// The conditions on a LUN's map.
fn map_conditions(
    expect: &At<file::Expect>,
    lun: Lun,
    when: Deadline,
    all: &mut Vec<Condition>,
    checker: &mut Checker<'_>,
) {
    if let Some(count) = &expect.rounds {
        all.push(Condition::Rounds { lun, count: count.clone() });
    }
    if let Some(count) = &expect.rounds_at_end {
        if when != Deadline::End {
            let problem = "`rounds_at_end` is about the end of the story";
            checker.refuse(&count.span, problem, "write `rounds`, or leave the time away");
        }
        all.push(Condition::RoundsNow { lun, count: count.value.clone() });
    }
    if let Some(paths) = &expect.paths {
        if paths.failed.is_none() && paths.active.is_none() {
            checker.refuse(&expect.span, "`paths` counts nothing", "write `failed` or `active`");
        }
        let (failed, active) = (paths.failed.clone(), paths.active.clone());
        all.push(Condition::Paths(PathTotals { lun, failed, active }));
    }
    for path in expect.path.iter() {
        let port = path.port.0;
        let hba = path.hba.as_ref().map(|hba| checker.hba(hba));
        let path_pattern = checker.path(PathPattern { hba, port }, &path.port.span);
        let state = match path.state {
            PathStateName::Active => PathState::Active,
            PathStateName::Failed => PathState::Failed,
        };
        all.push(Condition::Path(PathExpected { lun, path: path_pattern, state }));
    }
    if let Some(group) = &expect.group {
        if group.current.is_none() && group.bypassed.is_none() {
            let help = "write `current` or `bypassed`";
            checker.refuse(&expect.span, "`group` says nothing of path groups", help);
        }
        let current = group.current.clone();
        all.extend(current.map(|current| Condition::Group { lun, current }));
        let bypassed = group.bypassed.clone();
        all.extend(bypassed.map(|count| Condition::Bypassed { lun, count }));
    }
    for events in expect.uevents.iter() {
        let action = match events.action {
            UeventName::PathFailed => "PATH_FAILED".to_owned(),
            UeventName::PathReinstated => "PATH_REINSTATED".to_owned(),
        };
        let count = count(
            &events.count,
            [events.at_least, events.at_most, events.exactly],
            &expect.span,
            checker,
        );
        all.push(Condition::Uevents(UeventCount { lun, action, count }));
    }
}

fn io_limits(io: &file::Io, span: &std::ops::Range<usize>, checker: &mut Checker<'_>) -> IoLimits {
    if !checker.has_workload {
        let help = "remove `io`, or give the scenario a workload";
        checker.refuse(span, "there is no workload whose totals could be looked at", help);
    }
    let limits = IoLimits {
        errors: io.errors.clone(),
        corrupt: io.corrupt.clone(),
        longest_stall: io.longest_stall.clone(),
        reads: io.reads.clone(),
        writes: io.writes.clone(),
        stuck: io.stuck.clone(),
    };
    if limits == IoLimits::default() {
        let help = "write one or more of errors, corrupt, longest_stall, reads, writes, stuck";
        checker.refuse(span, "`io` limits nothing", help);
    }
    limits
}

fn command_count(
    given: &file::Commands,
    span: &std::ops::Range<usize>,
    checker: &mut Checker<'_>,
) -> CommandCount {
    CommandCount {
        op: given.op.as_ref().map(|op| op.0),
        controller: given.controller.as_ref().map(|name| checker.controller(name)),
        port: given.port.as_ref().map(|name| checker.port(name)),
        hba: given.hba.as_ref().map(|hba| checker.hba(hba)),
        lun: given.lun.as_ref().map(|lun| checker.lun(lun)),
        sense: given.sense.as_ref().map(|sense| sense.0),
        status: given.status.map(effect::status),
        fault: given.fault.as_ref().map(|name| checker.rule(name)),
        stage: fault::stage(given.stage),
        gap: given.gap.clone(),
        count: count(&given.count, [given.at_least, given.at_most, given.exactly], span, checker),
    }
}

fn program(ran: &file::RanTable, checker: &mut Checker<'_>) -> Ran {
    let step = checker.step(&ran.step);
    if checker.steps.contains(&step) && !checker.programs.contains(&step) {
        let problem = format!("the step {step:?} runs no program");
        let help = match &checker.programs[..] {
            [] => "no step has `run`".to_owned(),
            programs => near::help(&step, programs),
        };
        checker.refuse(&ran.step.span, problem, help);
    }
    let output = text(ran.contains.as_ref(), ran.matches.as_ref(), &ran.step.span, checker);
    if ran.code.is_none() && ran.contains.is_none() && ran.matches.is_none() {
        let help = "write one or more of `code`, `contains` and `matches`";
        checker.refuse(&ran.step.span, "nothing is expected of this program", help);
    }
    Ran { step, code: ran.code.clone(), output }
}

/// The text to look for, if one is given and makes sense.
fn text(
    contains: Option<&At<String>>,
    matches: Option<&At<String>>,
    span: &std::ops::Range<usize>,
    checker: &mut Checker<'_>,
) -> Option<TextMatch> {
    checker.exclusive(&[("contains", contains.is_some()), ("matches", matches.is_some())], span);
    match (contains, matches) {
        (Some(part), _) => Some(TextMatch::Contains(part.value.clone())),
        (None, Some(pattern)) => regex(pattern, checker),
        (None, None) => None,
    }
}

/// All the limits that are given; at least one unless there are any.
fn count(
    count: &Option<Comparison<u64>>,
    [at_least, at_most, exactly]: [Option<u64>; 3],
    span: &std::ops::Range<usize>,
    checker: &mut Checker<'_>,
) -> Comparison<u64> {
    let limits = [
        count.clone(),
        exactly.map(Comparison::exactly),
        at_least.map(Comparison::at_least),
        at_most.map(Comparison::at_most),
    ];
    let all = limits.into_iter().flatten().reduce(Comparison::and);
    let all = all.unwrap_or_else(|| Comparison::at_least(1));
    if !all.is_possible() {
        checker.refuse(span, format!("no number is {all}"), "leave one of the limits away");
    }
    all
}
