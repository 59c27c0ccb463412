//! What is not as it was at the start, and the act that undoes it.

use std::collections::BTreeMap;

use sansim_array::{
    Action, ArrayState, ArrayView, ControllerId, HbaId, LunCondition, LunView, Nexus, PortId,
    Replication, ReplicationLink, VolumeChange,
};
use sansim_stage::Act;

/// Something that is not as it was at the start.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    /// The thing in the picture.
    pub(super) thing: String,
    /// What is wrong with it, in words.
    pub(super) what: String,
    /// The act that undoes it.
    pub(super) undo: Option<Act>,
}

impl Wrong {
    /// Something that this action on the array undoes.
    fn undone(thing: String, what: String, undo: Action) -> Self {
        Wrong { thing, what, undo: Some(Act::Array(undo)) }
    }
}

/// What is wrong with the array, compared with its state at the start.
pub(super) fn wrong(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let kinds = [
        controllers(start, now),
        arrays(start, now),
        ports(start, now),
        links(start, now),
        luns(start, now),
        rules(start, now),
        held(now),
    ];
    kinds.concat()
}

fn controllers(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let pairs = start.controllers.iter().zip(&now.controllers).enumerate();
    let changed = pairs.filter(|(_, (was, is))| was != is).filter_map(|(index, (was, is))| {
        let controller = ControllerId::new(index)?;
        let undo = Action::SetController { controller, state: *was };
        let thing = format!("controller {controller}");
        Some(Wrong::undone(thing.clone(), format!("{thing} is {is}"), undo))
    });
    changed.collect()
}

/// Arrays that are isolated, and the witness.
fn arrays(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let isolated = now.isolated.iter().filter(|name| !start.isolated.contains(name));
    let isolated = isolated.map(|name| {
        let thing = format!("array {name}");
        let undo = Action::SetArray { array: name.as_str().into(), state: ArrayState::Online };
        Wrong::undone(thing.clone(), format!("{thing} is isolated"), undo)
    });
    let witness = (start.witness != now.witness).then(|| {
        let what = if now.witness { "there" } else { "lost" };
        let undo = Action::SetWitness { present: start.witness };
        Wrong::undone("witness".to_owned(), format!("the witness is {what}"), undo)
    });
    isolated.chain(witness).collect()
}

fn ports(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let changed = |port: PortId, present: bool| {
        let what = if present { "plugged" } else { "unplugged" };
        let thing = format!("port {port}");
        let undo = Action::SetPort { port, present: !present };
        Wrong::undone(thing.clone(), format!("{thing} is {what}"), undo)
    };
    let gone = now.ports_out.iter().filter(|port| !start.ports_out.contains(port));
    let came = start.ports_out.iter().filter(|port| !now.ports_out.contains(port));
    let gone = gone.map(|port| changed(*port, false));
    gone.chain(came.map(|port| changed(*port, true))).collect()
}

fn links(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let down = now.links_down.iter().filter(|link| !start.links_down.contains(link));
    let wrong = |&(hba, port): &(Option<HbaId>, PortId)| {
        let thing = match hba {
            Some(hba) => Nexus { hba, port }.to_string(),
            None => format!("port {port}"),
        };
        let undo = Action::SetLink { hba, port, up: true };
        Wrong::undone(thing.clone(), format!("the link of {thing} is down"), undo)
    };
    down.map(wrong).collect()
}

fn luns(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for was in &start.luns {
        match now.luns.iter().find(|is| is.lun == was.lun) {
            Some(is) => lun(was, is, &mut wrong),
            None => {
                let thing = format!("lun {}", was.lun);
                let what = format!("{thing} is not mapped");
                wrong.push(Wrong { thing, what, undo: None });
            }
        }
    }
    wrong
}

/// What is wrong with a LUN that is mapped.
fn lun(was: &LunView, is: &LunView, wrong: &mut Vec<Wrong>) {
    let lun = is.lun;
    let thing = format!("lun {lun}");
    let mut push = |what: String, undo| wrong.push(Wrong::undone(thing.clone(), what, undo));
    if is.split.is_some() && was.split.is_none() {
        let what = format!("each controller takes itself for the owner of lun {lun}");
        push(what, Action::Split { lun, apart: None });
    }
    if let Some((state, serving)) = is.replication
        && state != Replication::Up
    {
        let what = format!("the replication of lun {lun} is {state}, served by {serving}");
        let link = ReplicationLink::Up;
        push(what, Action::SetReplication { lun: Some(lun), link });
    }
    if is.condition != was.condition {
        let what = match is.condition {
            LunCondition::None => format!("lun {lun} has no condition any more"),
            condition => format!("lun {lun} is in the condition {condition}"),
        };
        push(what, Action::SetCondition { lun, condition: was.condition });
    }
    if is.read_only != was.read_only {
        let what = if is.read_only { "read-only" } else { "writable" };
        let undo = VolumeChange::SetReadOnly { lun, read_only: was.read_only }.into();
        push(format!("lun {lun} is {what}"), undo);
    }
    if is.mapping != was.mapping {
        let what = format!("other paths see lun {lun}, or under other numbers");
        wrong.push(Wrong { thing: thing.clone(), what, undo: None });
    }
    let mut push = |what: String, undo| wrong.push(Wrong::undone(thing.clone(), what, undo));
    for (group, state) in &is.group_states {
        if was.group_states.get(group) != Some(state) {
            let what = format!("port group {group} of lun {lun} is {state}");
            let state = was.group_states.get(group).copied();
            push(what, Action::SetGroupState { lun, group: *group, state });
        }
    }
}

/// Rules that were armed, added or disarmed.
fn rules(start: &ArrayView, now: &ArrayView) -> Vec<Wrong> {
    let was: BTreeMap<_, _> = start.rules.iter().map(|rule| (&rule.name, rule.armed)).collect();
    let wrong = now.rules.iter().filter_map(|rule| {
        let was = was.get(&rule.name).copied().unwrap_or(false);
        let name = &rule.name;
        let what = if rule.armed { "armed" } else { "disarmed" };
        let undo = Action::Arm { rule: name.clone(), armed: was };
        let text = format!("the fault rule {name:?} is {what}");
        (was != rule.armed).then(|| Wrong::undone(format!("fault {name}"), text, undo))
    });
    wrong.collect()
}

fn held(now: &ArrayView) -> Vec<Wrong> {
    let held = now.held.iter().map(|(hold, count)| {
        let undo = Action::Release { hold: hold.clone() };
        let commands = if *count == 1 { "command is" } else { "commands are" };
        let what = format!("{count} {commands} held under {hold:?}");
        Wrong::undone(format!("hold {hold}"), what, undo)
    });
    held.collect()
}
