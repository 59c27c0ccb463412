//! Commands as slices on their paths, and the arrows of a move.

use sansim_stage::event::{CommandEvent, Event, What as Told};
use serde_json::json;

use super::{Group, Spot, Trace, What, states::Moved};

/// Adds the commands of the story in the order of their arrival, and the arrows from the command that moved a LUN to
/// its new owner, and from there to the first I/O through it.
pub(super) fn add(trace: &mut Trace, events: &[Event], moved: &[Moved]) {
    let mut commands: Vec<(f64, &CommandEvent)> = events
        .iter()
        .filter_map(|event| match &event.what {
            Told::Command(command) if event.t >= 0.0 => Some((event.t, command)),
            _ => None,
        })
        .collect();
    commands.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.seq.cmp(&b.1.seq)));
    let mut causes: Vec<Option<Spot>> = vec![None; moved.len()];
    let mut firsts: Vec<Option<Spot>> = vec![None; moved.len()];
    for (t, command) in commands {
        let spot = slice(trace, t, command);
        let nexus = command.path();
        let is_io = command.is_io();
        for (at, moved) in moved.iter().enumerate().filter(|(_, moved)| moved.lun == command.lun) {
            let before = t <= moved.t && moved.t <= t + command.latency_s + 1e-6;
            if !is_io && before && moved.by.as_deref() == Some(nexus.as_str()) {
                causes[at] = Some(spot);
            }
            if is_io && t >= moved.t && command.controller == moved.to && !command.failed() {
                firsts[at].get_or_insert(spot);
            }
        }
    }
    for ((moved, cause), first) in moved.iter().zip(causes).zip(firsts) {
        if let Some(cause) = cause {
            trace.arrow("moves the LUN", cause, moved.spot);
        }
        if let Some(first) = first {
            trace.arrow("the first I/O there", moved.spot, first);
        }
    }
}

fn slice(trace: &mut Trace, t: f64, command: &CommandEvent) -> Spot {
    let CommandEvent { hba, port, lun, op, cdb, fault, seq, .. } = command;
    let answer = command.answer();
    let name = if command.failed() { format!("{op}: {answer}") } else { op.clone() };
    let args = json!({ "lun": lun, "answer": answer, "cdb": cdb, "fault": fault, "seq": seq });
    let cat = if command.failed() { "failed" } else { "command" };
    let what = What { name, cat, args };
    // Without a length, a slice cannot be seen, nor an arrow end at it.
    let end = t + command.latency_s.max(1e-6);
    trace.slice(Group::Paths, &format!("hba{hba}:{port}"), t, end, what)
}
