//! Fault rules that can never catch anything, or whose effect what they catch cannot have.

use std::ops::Range;

use sansim_array::{Class, Corruption, DataDirection, OPERATIONS, OpMatcher};

use super::context::Checker;
use crate::lang::{
    file::{self, Fault},
    value::At,
};

/// Refuses what no command can fulfil or suffer.
pub(super) fn refuse(fault: &At<Fault>, checker: &mut Checker<'_>) {
    let (when, then) = (&fault.when, &fault.then);
    page(when, checker);
    blocks(when, checker);
    states(when, checker);
    way(when, checker);
    data(when, then, checker);
}

fn page(when: &file::When, checker: &mut Checker<'_>) {
    let (Some(page), Some(op)) = (&when.page, &when.op) else { return };
    let inquiry = OPERATIONS.iter().find(|op| op.name == "INQUIRY");
    if !op.0.covers(inquiry) {
        let problem = format!("{} asks for no page of INQUIRY data", op.0);
        checker.refuse(&page.span, problem, "write op = \"INQUIRY\", or leave `op` away");
    }
}

/// Blocks that the operation does not name, or that the LUN does not have at first.
fn blocks(when: &file::When, checker: &mut Checker<'_>) {
    let Some(blocks) = &when.blocks else { return };
    if let Some(op) = when.op.as_ref().filter(|op| !any(op.0, OpMatcher::Class(Class::Medium))) {
        let problem = format!("{} names no blocks", op.0);
        checker.refuse(&blocks.span, problem, "`blocks` is about reads and writes");
    }
}

/// Whether there is an operation that both cover.
fn any(one: OpMatcher, other: OpMatcher) -> bool {
    OPERATIONS.iter().any(|op| one.covers(Some(op)) && other.covers(Some(op)))
}

/// A controller in two states at once, or one that is silent in the state in which it is to be asked.
fn states(when: &file::When, checker: &mut Checker<'_>) {
    let Some(states) = &when.state else { return };
    let asked = when.controller.as_ref().map(|name| name.0);
    let asked = asked.or(when.port.as_ref().map(|port| port.0.controller));
    for (index, (controller, state)) in states.0.0.iter().enumerate() {
        let mut before = states.0.0[..index].iter();
        if before.any(|(it, other)| it == controller && other != state) {
            let problem = format!("controller {controller} cannot be in two states at once");
            checker.refuse(&states.span, problem, "write two rules");
        }
        if asked == Some(*controller) && !state.answers() {
            let problem = format!("no command comes to a controller that is {state}");
            let help = "leave `state` away, or ask for the state of the other controller";
            checker.refuse(&states.span, problem, help);
        }
    }
}

/// An HBA that does not see the port.
fn way(when: &file::When, checker: &mut Checker<'_>) {
    let (Some(hba), Some(port)) = (&when.hba, &when.port) else { return };
    let Some(seen) = usize::try_from(hba.value).ok().and_then(|at| checker.shape.hbas.get(at))
    else {
        return;
    };
    if !seen.targets.contains(&port.0) {
        let problem = format!("HBA {} does not see port {}", hba.value, port.0);
        checker.refuse(&port.span, problem, checker.shape.targets_in_words());
    }
}

/// Data that goes wrong on a command that has none of that kind.
fn data(when: &file::When, then: &At<file::Then>, checker: &mut Checker<'_>) {
    let Some(op) = &when.op else { return };
    let family = |name: &str| name.parse::<OpMatcher>().is_ok_and(|it| any(op.0, it));
    let mut without = |what: &str, span: &Range<usize>| {
        let problem = format!("{} has no data that {what}", op.0);
        checker.refuse(span, problem, "write another `op`, or leave it away");
    };
    match then.corrupt.as_ref().map(|it| (Corruption::from(it.value), &it.span)) {
        Some((Corruption::BitFlip, span)) if !family("READ") && !family("WRITE") => {
            without("a bit could flip in", span);
        }
        Some((Corruption::DroppedWrite | Corruption::MisdirectedWrite, span))
            if !family("WRITE") =>
        {
            without("could be written elsewhere or not at all", span);
        }
        Some((Corruption::StaleRead, span)) if !family("READ") => {
            without("could be an old one's", span);
        }
        _ => {}
    }
    if let Some(short) = then.short.as_ref().filter(|_| !sends_data(op.0)) {
        without("could come short", &short.span);
    }
}

/// Whether an operation sends the initiator data.
fn sends_data(op: OpMatcher) -> bool {
    let sends = OPERATIONS.iter().filter(|it| it.direction == DataDirection::In);
    op.covers(None) || sends.into_iter().any(|it| op.covers(Some(it)))
}
