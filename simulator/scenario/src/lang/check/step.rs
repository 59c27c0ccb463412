//! `[[step]]`.

use std::{sync::Arc, time::Duration};

use sansim_array::{Action, Apart, ControllerState, Lun, Nexus, Phase};

use super::{
    array,
    change::Change,
    context::{Checker, NO_LIMIT},
};
use crate::lang::{
    Diagnostic,
    file::{self, StopName},
    near,
    placeholder::{Piece, Placeholder, pieces},
    plan::{Occurrence, Reinstate, Step, StepAction, Trigger},
    value::At,
};

/// The most states that a controller goes through in one step.
const MAX_PHASES: usize = 32;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const UNIT_ATTENTION: u8 = 0x06;
/// mpath:multipath_message.
const MESSAGES: [&str; 7] = [
    "queue_if_no_path",
    "fail_if_no_path",
    "fail_path",
    "reinstate_path",
    "disable_group",
    "enable_group",
    "switch_group",
];

pub(super) fn resolve(steps: &[At<file::Step>], checker: &mut Checker<'_>) -> Vec<Step> {
    let names = checker.steps.clone();
    let resolved = steps
        .iter()
        .zip(names)
        .filter_map(|(step, name)| {
            let trigger = trigger(step, &name, checker);
            let action = action(step, checker);
            Some(Step { name, trigger: trigger?, action: action? })
        })
        .collect();
    warn_of_holds(steps, checker);
    resolved
}

fn trigger(step: &At<file::Step>, name: &str, checker: &mut Checker<'_>) -> Option<Trigger> {
    match (&step.at, &step.on) {
        (Some(at), None) => {
            if let Some(after) = &step.after {
                checker.refuse(&after.span, "`after` goes with `on`", "add it to `at`");
            }
            Some(Trigger::At(checker.story_time(at)))
        }
        (None, Some(on)) => {
            let after = checker.span_or(step.after.as_ref(), Duration::ZERO);
            Some(Trigger::On { event: occurrence(on, name, checker)?, after })
        }
        (Some(at), Some(_)) => {
            let help = "write `on` with `after` for a step that comes so long after an event";
            checker.refuse(&at.span, "`at` and `on` exclude each other", help);
            None
        }
        (None, None) => {
            let help = "write `at`, a time of the story, or `on`, an event";
            checker.refuse(&step.span, "this step is never taken", help);
            None
        }
    }
}

fn occurrence(on: &At<file::On>, step: &str, checker: &mut Checker<'_>) -> Option<Occurrence> {
    let events = [
        ("fault", on.fault.is_some()),
        ("pg_init", on.pg_init.is_some()),
        ("owner", on.owner.is_some()),
        ("path_failed", on.path_failed.is_some()),
        ("held", on.held.is_some()),
        ("log", on.log.is_some()),
        ("step", on.step.is_some()),
    ];
    checker.exclusive(&events, &on.span);
    if let Some(nth) = &on.nth
        && on.fault.is_none()
    {
        checker.refuse(&nth.span, "`nth` goes with `fault`", "remove it");
    }
    if let Some(lun) = &on.lun
        && on.pg_init.is_none()
        && on.path_failed.is_none()
    {
        checker.refuse(&lun.span, "`lun` goes with `pg_init` and `path_failed`", "remove it");
    }
    let lun = checker.lun_or_main(on.lun.as_ref());
    if let Some(name) = &on.fault {
        let nth = checker.number(on.nth.as_ref(), 1..=NO_LIMIT, 1, "`nth`");
        Some(Occurrence::Fault { name: Arc::from(checker.rule(name)), nth })
    } else if let Some(rounds) = &on.pg_init {
        let rounds = checker.number(Some(rounds), 1..=1_000_000, 1, "the round") as u32;
        Some(Occurrence::PgInit { rounds, lun })
    } else if let Some(owner) = &on.owner {
        let controller = checker.controller(&owner.controller);
        Some(Occurrence::Owner { lun: checker.lun(&owner.lun), controller })
    } else if let Some(path) = &on.path_failed {
        Some(Occurrence::PathFailed { path: checker.path(path.0, &path.span), lun })
    } else if let Some(hold) = &on.held {
        Some(Occurrence::Held(Arc::from(known_hold(hold, checker))))
    } else if let Some(log) = &on.log {
        Some(Occurrence::Log(log.value.clone()))
    } else if let Some(other) = &on.step {
        if other.value == step {
            checker.refuse(&other.span, "this step waits for itself", "name another one");
        }
        Some(Occurrence::Step(checker.step(other)))
    } else {
        let names: Vec<_> = events.iter().map(|(name, _)| *name).collect();
        checker.refuse(&on.span, "no event is named here", near::help("", &names));
        None
    }
}

/// The keys of a step that are actions, and which of them are there.
fn actions(step: &file::Step) -> [(&'static str, bool); 28] {
    [
        ("fail", step.fail.is_some()),
        ("restore", step.restore.is_some()),
        ("set", step.set.is_some()),
        ("phases", step.phases.is_some()),
        ("link", step.link.is_some()),
        ("unplug", step.unplug.is_some()),
        ("plug", step.plug.is_some()),
        ("reset_hba", step.reset_hba.is_some()),
        ("own", step.own.is_some()),
        ("split", step.split.is_some()),
        ("heal", step.heal.is_some()),
        ("port_group", step.port_group.is_some()),
        ("condition", step.condition.is_some()),
        ("release", step.release.is_some()),
        ("arm", step.arm.is_some()),
        ("disarm", step.disarm.is_some()),
        ("unit_attention", step.unit_attention.is_some()),
        ("message", step.message.is_some()),
        ("reinstate", step.reinstate.is_some()),
        ("run", step.run.is_some()),
        ("write", step.write.is_some()),
        ("map", step.map.is_some()),
        ("unmap", step.unmap.is_some()),
        ("remap", step.remap.is_some()),
        ("replace", step.replace.is_some()),
        ("resize", step.resize.is_some()),
        ("read_only", step.read_only.is_some()),
        ("stop", step.stop.is_some() || step.end.is_some()),
    ]
}

fn action(step: &At<file::Step>, checker: &mut Checker<'_>) -> Option<StepAction> {
    let keys = actions(step);
    let given: Vec<_> = keys.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
    match given[..] {
        [] => {
            let names: Vec<_> = keys.iter().map(|(name, _)| *name).chain(["end"]).collect();
            checker.refuse(&step.span, "this step does nothing", near::help("", &names));
            return None;
        }
        [_] => {}
        [first, second, ..] => {
            let problem = format!("a step does one thing, not `{first}` and `{second}`");
            checker.refuse(&step.span, problem, "write a step for each of them");
            return None;
        }
    }
    if let Some(timeout) = &step.timeout
        && step.run.is_none()
    {
        checker.refuse(&timeout.span, "`timeout` goes with `run`", "remove it");
    }
    if let Some(lun) = &step.lun
        && step.message.is_none()
        && step.reinstate.is_none()
    {
        checker.refuse(&lun.span, "`lun` goes with `message` and `reinstate`", "remove it");
    }
    array_action(step, checker)
        .map(StepAction::Array)
        .or_else(|| lun_action(step, checker).map(StepAction::Array))
        .or_else(|| guest_action(step, checker))
}

fn array_action(step: &file::Step, checker: &mut Checker<'_>) -> Option<Action> {
    let file::Step { fail, restore, set, own, .. } = step;
    if let Some(change) = (Change { fail, restore, set, own }).resolve(checker) {
        Some(change)
    } else if let Some(phases) = &step.phases {
        Some(run_through(phases, checker))
    } else if let Some(given) = &step.link {
        Some(link(given, checker))
    } else if let Some(port) = &step.unplug {
        Some(Action::SetPort { port: checker.port(port), present: false })
    } else if let Some(port) = &step.plug {
        Some(Action::SetPort { port: checker.port(port), present: true })
    } else if let Some(hba) = &step.reset_hba {
        Some(Action::ResetHba { hba: checker.hba(hba) })
    } else if let Some(table) = &step.port_group {
        let lun = checker.lun_or_main(table.lun.as_ref());
        let group = checker.number(Some(&table.group), 1..=80, 1, "a target port group") as u16;
        Some(Action::SetGroupState { lun, group, state: table.state.as_ref().map(|it| it.0) })
    } else if let Some(table) = &step.condition {
        Some(Action::SetCondition { lun: checker.lun(&table.lun), condition: table.is.0 })
    } else if let Some(hold) = &step.release {
        Some(Action::Release { hold: Arc::from(known_hold(hold, checker)) })
    } else if let Some(rule) = &step.arm {
        Some(Action::Arm { rule: Arc::from(checker.rule(rule)), armed: true })
    } else if let Some(rule) = &step.disarm {
        Some(Action::Arm { rule: Arc::from(checker.rule(rule)), armed: false })
    } else {
        step.unit_attention.as_ref().map(|attention| unit_attention(attention, checker))
    }
}

fn link(given: &At<file::Link>, checker: &mut Checker<'_>) -> Action {
    let hba = given.hba.as_ref().map(|hba| checker.hba(hba));
    let port = checker.port(&given.port);
    let Some(flap) = &given.flap else {
        return Action::SetLink { hba, port, up: given.up.unwrap_or(false) };
    };
    if given.up.is_some() {
        checker.refuse(&flap.span, "`flap` does not go with `up`", "remove one of them");
    }
    let every = flap.every.0.0;
    if every.is_zero() {
        checker.refuse(&flap.every.span, "a link takes some time to flap", "write \"1s\"");
    }
    let times = checker.number(Some(&flap.times), 1..=1000, 1, "`times`") as u16;
    Action::FlapLink { hba, port, every, times }
}

fn run_through(given: &At<file::Phases>, checker: &mut Checker<'_>) -> Action {
    if given.through.is_empty() || given.through.len() > MAX_PHASES {
        let problem = format!("a controller goes through 1 to {MAX_PHASES} states");
        let help = "write for instance through = [{ state = \"booting\", lasts = \"30s\" }]";
        checker.refuse(&given.span, problem, help);
    }
    let phases = given.through.iter();
    let phases = phases.map(|phase| Phase { state: phase.state.0, lasts: phase.lasts.0.0 });
    Action::Phases {
        controller: checker.controller(&given.controller),
        phases: phases.collect(),
        last: given.last.as_ref().map_or(ControllerState::Online, |last| last.0),
    }
}

fn unit_attention(given: &At<file::UnitAttention>, checker: &mut Checker<'_>) -> Action {
    let sense = given.sense.0;
    if sense.key != UNIT_ATTENTION {
        let help = format!("write \"06/{:02x}/{:02x}\"", sense.asc, sense.ascq);
        checker.refuse(&given.sense.span, "the sense key of a unit attention is 06", help);
    }
    let nexus = match (&given.hba, &given.port) {
        (Some(hba), Some(port)) => Some(Nexus { hba: checker.hba(hba), port: checker.port(port) }),
        (None, None) => None,
        _ => {
            let help = "name both, or none for every nexus";
            checker.refuse(&given.span, "a nexus is an HBA and a port", help);
            None
        }
    };
    Action::UnitAttention { nexus, lun: given.lun.as_ref().map(|lun| checker.lun(lun)), sense }
}

fn lun_action(step: &file::Step, checker: &mut Checker<'_>) -> Option<Action> {
    if let Some(split) = &step.split {
        let apart = split.apart.map_or(Apart::Ownership, Into::into);
        Some(Action::Split { lun: checker.lun(&split.lun), apart: Some(apart) })
    } else if let Some(lun) = &step.heal {
        Some(Action::Split { lun: checker.lun(lun), apart: None })
    } else if let Some(map) = &step.map {
        if map.lun.is_none() {
            let help = "write lun = …";
            checker.refuse(&map.span, "a LUN that appears later needs its number", help);
        }
        Some(Action::MapLun(array::resolve_lun(map, 0, checker)))
    } else if let Some(unmap) = &step.unmap {
        Some(Action::UnmapLun { lun: checker.lun(unmap) })
    } else if let Some(remap) = &step.remap {
        let max = u64::from(checker.shape.max_lun);
        let to = checker.number(Some(&remap.to), 0..=max, 0, "the new number") as u16;
        Some(Action::RemapLun { lun: checker.lun(&remap.lun), to: Lun(to) })
    } else if let Some(lun) = &step.replace {
        Some(Action::ReplaceLun { lun: checker.lun(lun) })
    } else if let Some(resize) = &step.resize {
        let bytes = resize.size.0.0;
        if bytes == 0 || !bytes.is_multiple_of(4096) || bytes > sansim_array::LunConfig::MAX_BYTES {
            let help = "write a multiple of 4KiB, at most 64TiB";
            checker.refuse(&resize.size.span, "no LUN can have this size", help);
        }
        Some(Action::ResizeLun { lun: checker.lun(&resize.lun), bytes })
    } else {
        step.read_only.as_ref().map(|table| Action::SetReadOnly {
            lun: checker.lun(&table.lun),
            read_only: table.read_only.unwrap_or(true),
        })
    }
}

fn guest_action(step: &file::Step, checker: &mut Checker<'_>) -> Option<StepAction> {
    let lun = checker.lun_or_main(step.lun.as_ref());
    if let Some(text) = &step.message {
        message(text, checker);
        Some(StepAction::Message { lun, text: text.value.clone() })
    } else if let Some(paths) = &step.reinstate {
        if let Reinstate::Paths(path) = paths.0 {
            checker.path(path, &paths.span);
        }
        Some(StepAction::Reinstate { lun, paths: paths.0 })
    } else if let Some(argv) = &step.run {
        if argv.first().is_none_or(String::is_empty) {
            let help = "write for instance [\"sg_turs\", \"{disk:A0}\"]";
            checker.refuse(&argv.span, "no program is named here", help);
        }
        for word in &argv.value {
            placeholders(word, argv, checker);
        }
        let timeout = checker.span_or(step.timeout.as_ref(), DEFAULT_TIMEOUT);
        Some(StepAction::Run { argv: argv.value.clone(), timeout })
    } else if let Some(write) = &step.write {
        if !write.path.starts_with('/') {
            checker.refuse(&write.path.span, "this is no absolute path", "begin with `/`");
        }
        placeholders(&write.path.value, &write.path, checker);
        Some(StepAction::Write { path: write.path.value.clone(), text: write.text.clone() })
    } else if let Some(StopName::Workload) = &step.stop {
        Some(StepAction::StopWorkload)
    } else {
        let end = step.end.as_ref()?;
        if !end.value {
            checker.refuse(&end.span, "`end` is true or not there", "remove it");
        }
        Some(StepAction::End)
    }
}

fn message(text: &At<String>, checker: &mut Checker<'_>) {
    let word = text.split_whitespace().next().unwrap_or_default();
    if !MESSAGES.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        let warning = format!("dm-multipath may not know the message {word:?}");
        let help = near::help(word, &MESSAGES);
        checker.report(&text.span, Diagnostic::warning(warning).help(help));
    }
}

/// Checks the placeholders of a word that stands at `place`.
fn placeholders<T>(word: &str, place: &At<T>, checker: &mut Checker<'_>) {
    let pieces = match pieces(word) {
        Ok(pieces) => pieces,
        Err(problem) => {
            checker.report(&place.span, Diagnostic::error(problem));
            return;
        }
    };
    for piece in pieces {
        let Piece::Device(device) = piece else { continue };
        let (Placeholder::Map { lun } | Placeholder::Disk { lun, .. }) = device;
        if let Some(lun) = lun {
            checker.lun(&At { value: u64::from(lun.0), span: place.span.clone() });
        }
        if let Placeholder::Disk { path, .. } = device {
            checker.path(path, &place.span);
        }
    }
}

fn known_hold(hold: &At<String>, checker: &mut Checker<'_>) -> String {
    let holds = std::mem::take(&mut checker.holds);
    let name = checker.known_name("hold", hold, &holds);
    checker.holds = holds;
    name
}

fn warn_of_holds(steps: &[At<file::Step>], checker: &mut Checker<'_>) {
    for (hold, span) in std::mem::take(&mut checker.hold_places) {
        let released =
            |step: &At<file::Step>| step.release.as_ref().is_some_and(|r| r.value == hold);
        if !steps.iter().any(released) {
            let warning = format!("nothing releases the hold {hold:?}");
            let help = "write a step with release = …, or these commands are held to the end";
            checker.report(&span, Diagnostic::warning(warning).help(help));
        }
    }
}
