//! Events in words that do not vary between runs.

use sansim_stage::event::{CommandEvent, What};

use crate::timeline::ended;

/// A command and its answer.
pub(super) fn of_command(command: &CommandEvent) -> String {
    let CommandEvent { hba, port, lun, op, cdb, .. } = command;
    format!("hba{hba}:{port} LUN {lun} {op} {cdb}: {}", command.answer())
}

/// Any other event, without times, measured values, and numbers that the guest assigns freely. `None` for
/// commands, and for multipathd's view of its maps, which contains such numbers.
pub(super) fn of_event(what: &What) -> Option<String> {
    Some(match what {
        What::Command(_) => return None,
        What::State { text, .. } => text.clone(),
        What::Begun { name, .. } => format!("step {name} begins"),
        What::Step { name, error: None, .. } => format!("step {name}"),
        What::Step { name, error: Some(error), .. } => format!("step {name}: {error}"),
        What::Path { path, state, fails, group, group_state, .. } => {
            format!("path {path}: {state}, {fails} failures, group {group} {group_state}")
        }
        What::Disk { action, path, lun, .. } => format!("disk {path:?} LUN {lun:?}: {action:?}"),
        What::Map { map, wwid, paths } => format!("map {map} {wwid:?}: {paths:?} paths"),
        What::Incomplete { text } => format!("incomplete: {text}"),
        What::Table { map, table } => format!("table of {map}: {table}"),
        What::Group { group, state } => format!("path group {group}: {state}"),
        What::PgInit { map, rounds } => format!("pg_init of {map}: round {rounds}"),
        What::Io { what, offset: None, .. } => format!("io: {what}"),
        What::Io { what, offset: Some(offset), .. } => format!("io: {what} at {offset}"),
        What::Log { level: Some(level), text } => format!("log <{level}> {text}"),
        What::Log { level: None, text } => format!("log {text}"),
        What::Multipathd { .. } => return None,
        What::Uevent { action, path, seqnum, valid_paths } => {
            format!("uevent {seqnum} {action} {path}, {valid_paths} valid paths")
        }
        What::Ran { name, code, killed_by, stdout, stderr } => {
            format!("ran {name}: {} {stdout}{stderr}", ended(*code, killed_by.as_deref()))
        }
        What::Expect { text, ok, .. } => {
            format!("expect {text}: {}", if *ok { "holds" } else { "does not hold" })
        }
        What::Idle(idle) => format!("idle: {}", idle.what),
        What::Verdict { verdict, .. } => format!("verdict {verdict}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansim_stage::event::{GroupState, IoKind, PathState};

    #[test]
    fn measured_values_are_left_out() {
        let expect = |seen: &str| What::Expect {
            text: "io has no errors".to_owned(),
            ok: true,
            seen: seen.to_owned(),
        };
        assert_eq!(of_event(&expect("0, 1.25 s")), of_event(&expect("0, 1.31 s")));
        let stall = |text: &str| What::Io {
            what: IoKind::StallEnd,
            map: None,
            text: text.to_owned(),
            offset: None,
        };
        assert_eq!(of_event(&stall("after 1 s")), of_event(&stall("after 2 s")));
        let path = |dev: &str, state| What::Path {
            dev: dev.to_owned(),
            path: "hba0:A0".to_owned(),
            state,
            fails: 1,
            group: 1,
            group_state: GroupState::Current,
        };
        assert_eq!(
            of_event(&path("8:0", PathState::Failed)),
            of_event(&path("8:16", PathState::Failed))
        );
        assert_ne!(
            of_event(&path("8:0", PathState::Failed)),
            of_event(&path("8:0", PathState::Active))
        );
    }
}
