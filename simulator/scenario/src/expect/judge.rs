//! Whether an expectation holds in a world.

use sansim_array::Lun;
use sansim_protocol::{GroupState, PathStatus};
use serde::Serialize;

use super::World;
use crate::lang::{
    plan::{Condition, Expectation, IoLimits, PathExpected, PathState, PathTotals, Ran, Scenario},
    value::{Comparison, Quantity},
};

/// What came of looking at an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it is so.
    pub holds: bool,
    /// What was seen instead, or to confirm it, in words.
    pub seen: String,
    /// The conditions that are not fulfilled.
    pub misses: Vec<Miss>,
}

/// A condition that is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The condition, in words.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
}

impl Judgement {
    fn new(holds: bool, seen: impl Into<String>) -> Self {
        Judgement { holds, seen: seen.into(), misses: Vec::new() }
    }

    /// All of these conditions together.
    fn all<'c>(conditions: impl IntoIterator<Item = &'c Condition>, world: &World) -> Self {
        let mut whole = Judgement::new(true, "");
        for condition in conditions {
            let part = condition.judge(world);
            if !whole.seen.is_empty() {
                whole.seen.push_str("; ");
            }
            whole.seen.push_str(&part.seen);
            if !part.holds {
                whole.holds = false;
                whole.misses.push(Miss { expected: condition.to_string(), seen: part.seen });
            }
        }
        whole
    }
}

impl Expectation {
    /// Whether every condition is fulfilled now, whatever the time is.
    pub fn judge(&self, world: &World) -> Judgement {
        Judgement::all(&self.conditions, world)
    }

    /// Whether the limits on I/O, if there are any, are kept now. A `by` expectation that was
    /// fulfilled in time is judged by this at the end.
    pub fn judge_io(&self, world: &World) -> Judgement {
        Judgement::all(self.conditions.iter().filter(|c| matches!(c, Condition::Io(_))), world)
    }
}

impl Condition {
    /// Whether it is fulfilled now.
    pub fn judge(&self, world: &World) -> Judgement {
        match self {
            Condition::Owner { lun, controller } => {
                let owner = world.owner(*lun);
                let seen = owner.map_or(format!("LUN {lun} is not mapped"), |owner| {
                    format!("owner of LUN {lun} is controller {owner}")
                });
                Judgement::new(owner == Some(*controller), seen)
            }
            Condition::Io(limits) => io(limits, world),
            Condition::Commands(wanted) => {
                let seen = world.commands(wanted);
                let gap_holds =
                    wanted.gap.as_ref().is_none_or(|gap| seen.gap.is_some_and(|it| gap.holds(it)));
                let mut text = format!("{} {}", seen.count, wanted.what());
                if let Some(gap) = seen.gap.filter(|_| wanted.gap.is_some()) {
                    text.push_str(&format!(", {:.3} s apart", gap.as_secs_f64()));
                }
                Judgement::new(wanted.count.holds(seen.count) && gap_holds, text)
            }
            Condition::Rounds { lun, count } => {
                let rounds = world.map_seen(*lun).map_or(0, |map| map.rounds);
                let seen = format!("pg_init of LUN {lun} came to round {rounds}");
                Judgement::new(count.holds(rounds.into()), seen)
            }
            Condition::RoundsNow { lun, count } => map_status(*lun, world, |status| {
                let seen = format!("the map of LUN {lun} shows round {}", status.rounds);
                Judgement::new(count.holds(status.rounds.into()), seen)
            }),
            Condition::Paths(totals) => path_totals(totals, world),
            Condition::Path(expected) => path(expected, world),
            Condition::Group { lun, current } => map_status(*lun, world, |status| {
                let group = status.current_group;
                let seen = format!("the current path group of LUN {lun} is {group}");
                Judgement::new(current.holds(group.into()), seen)
            }),
            Condition::Bypassed { lun, count } => map_status(*lun, world, |status| {
                let bypassed = status
                    .groups
                    .iter()
                    .filter(|group| group.state == GroupState::Bypassed)
                    .count();
                let seen = format!("{} of LUN {lun} bypassed", some(bypassed as u64, "path group"));
                Judgement::new(count.holds(bypassed as u64), seen)
            }),
            Condition::Log(wanted) => {
                let count = world.log_lines(&wanted.text);
                let seen = format!("{} with {}", some(count, "log line"), wanted.text);
                Judgement::new(wanted.count.holds(count), seen)
            }
            Condition::Ran(wanted) => ran(wanted, world),
            Condition::Fault(wanted) => {
                let fired = world.fired(&wanted.name);
                let seen = format!("fault {:?} has fired {}", wanted.name, some(fired, "time"));
                Judgement::new(wanted.fired.holds(fired), seen)
            }
            Condition::Uevents(wanted) => {
                let seen = world.map_seen(wanted.lun);
                let count = seen.and_then(|m| m.uevents.get(&wanted.action)).copied().unwrap_or(0);
                let seen = format!(
                    "{} for LUN {}",
                    some(count, &format!("{} uevent", wanted.action)),
                    wanted.lun
                );
                Judgement::new(wanted.count.holds(count), seen)
            }
        }
    }
}

/// `1 error`, `2 errors`.
fn some(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn limit<T: Quantity>(limit: &Option<Comparison<T>>, value: T) -> bool {
    limit.as_ref().is_none_or(|limit| limit.holds(value))
}

fn io(limits: &IoLimits, world: &World) -> Judgement {
    let seen = world.io();
    let holds = limit(&limits.errors, seen.errors)
        && limit(&limits.corrupt, seen.corrupt)
        && limit(&limits.longest_stall, seen.longest_stall)
        && limit(&limits.reads, seen.reads)
        && limit(&limits.writes, seen.writes)
        && limit(&limits.stuck, seen.stuck);
    let mut words = Vec::new();
    let mut say = |there: bool, text: String| {
        if there {
            words.push(text);
        }
    };
    say(limits.errors.is_some(), some(seen.errors, "error"));
    say(limits.corrupt.is_some(), some(seen.corrupt, "corrupt block"));
    say(
        limits.corrupt.is_some() && seen.unchecked > 0,
        format!("{} that could not be read back", some(seen.unchecked, "block")),
    );
    let stall = seen.longest_stall.as_secs_f64();
    say(limits.longest_stall.is_some(), format!("longest stall {stall:.3} s"));
    say(limits.reads.is_some(), some(seen.reads, "read"));
    say(limits.writes.is_some(), some(seen.writes, "write"));
    say(limits.stuck.is_some(), format!("{} requests stuck", seen.stuck));
    Judgement::new(holds, format!("I/O: {}", words.join(", ")))
}

fn map_status(
    lun: Lun,
    world: &World,
    judge: impl FnOnce(&sansim_protocol::MapStatus) -> Judgement,
) -> Judgement {
    match world.map_seen(lun).and_then(|map| map.status.as_ref()) {
        Some(status) => judge(status),
        None => Judgement::new(false, format!("the map {} has no status", Scenario::map_name(lun))),
    }
}

fn path_state(path: &PathStatus) -> PathState {
    match path.state {
        sansim_protocol::PathState::Failed => PathState::Failed,
        sansim_protocol::PathState::Active => PathState::Active,
    }
}

fn path_totals(totals: &PathTotals, world: &World) -> Judgement {
    map_status(totals.lun, world, |status| {
        let paths = || status.groups.iter().flat_map(|group| &group.paths);
        let in_state = |state| paths().filter(|path| path_state(path) == state).count() as u64;
        let (failed, active) = (in_state(PathState::Failed), in_state(PathState::Active));
        let holds = limit(&totals.failed, failed) && limit(&totals.active, active);
        let seen = format!("LUN {} has {active} active and {failed} failed paths", totals.lun);
        Judgement::new(holds, seen)
    })
}

fn path(expected: &PathExpected, world: &World) -> Judgement {
    map_status(expected.lun, world, |status| {
        let mut words = Vec::new();
        let mut holds = true;
        for path in status.groups.iter().flat_map(|group| &group.paths) {
            let Some(nexus) = world.nexus(&path.dev).filter(|n| expected.path.matches(*n)) else {
                continue;
            };
            let state = path_state(path);
            holds &= state == expected.state;
            words.push(format!("path {nexus} of LUN {} is {state}", expected.lun));
        }
        if words.is_empty() {
            let none = format!("LUN {} has no path over {}", expected.lun, expected.path);
            return Judgement::new(false, none);
        }
        Judgement::new(holds, words.join(", "))
    })
}

/// How much of a program's output is shown.
const SHOWN: usize = 200;

fn ran(wanted: &Ran, world: &World) -> Judgement {
    let step = &wanted.step;
    let Some(ran) = world.program(step) else {
        return Judgement::new(false, format!("step {step:?} has not run"));
    };
    // A killed program has no code, and so none that is in any range.
    let code_holds = wanted.code.as_ref().is_none_or(|code| {
        ran.code.and_then(|c| u64::try_from(c).ok()).is_some_and(|c| code.holds(c))
    });
    let text_holds = wanted.output.as_ref().is_none_or(|text| text.is_in(&ran.output));
    let mut seen = match ran.code {
        Some(code) => format!("step {step:?} ended with code {code}"),
        None => format!("step {step:?} was killed"),
    };
    if wanted.output.is_some() {
        let shown: String = ran.output.chars().take(SHOWN).collect();
        let more = if shown.len() < ran.output.len() { "…" } else { "" };
        seen.push_str(&format!(" and wrote {shown:?}{more}"));
    }
    Judgement::new(code_holds && text_holds, seen)
}
