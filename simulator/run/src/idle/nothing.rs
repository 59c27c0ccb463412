//! Actions on the array that change nothing.

use sansim_array::{Action, ArrayState, ArrayView, ControllerId, LunView, VolumeChange};

/// Why an action changes nothing; `None` if it may change something.
pub(super) fn nothing_to_do(action: &Action, view: &ArrayView) -> Option<String> {
    let lun = |lun| view.luns.iter().find(move |unit| unit.lun == lun);
    match action {
        Action::Arm { rule, armed } => {
            let known = view.rules.iter().find(|known| known.name == *rule)?;
            let state = if *armed { "armed already" } else { "not armed" };
            (known.armed == *armed).then(|| format!("fault {rule:?} was {state}"))
        }
        Action::Release { hold } => {
            let held = view.held.get(hold).copied().unwrap_or_default();
            (held == 0).then(|| format!("no command was held under {hold:?}"))
        }
        Action::SetController { controller, state } => {
            let now = view.controllers.get(controller.index())?;
            (now == state).then(|| format!("controller {controller} was {state} already"))
        }
        Action::SetArray { array, state } => match state {
            ArrayState::Isolated => view
                .isolated
                .iter()
                .any(|name| **name == **array)
                .then(|| format!("array {array} was isolated already")),
            ArrayState::Online | ArrayState::Failed => None,
        },
        Action::SetWitness { present } => {
            let state = if *present { "there" } else { "lost" };
            (view.witness == *present).then(|| format!("the witness was {state} already"))
        }
        Action::SetLink { hba, port, up } => {
            let is_up = !view.links_down.contains(&(*hba, *port));
            let state = if *up { "up" } else { "down" };
            (is_up == *up).then(|| format!("the link was {state} already"))
        }
        Action::SetPort { port, present } => {
            let is_there = !view.ports_out.contains(port);
            let state = if *present { "there" } else { "gone" };
            (is_there == *present).then(|| format!("port {port} was {state} already"))
        }
        Action::SetOwner { lun: number, controller } => owned(lun(*number)?, *controller),
        Action::SetPreferred { lun: number, controller } => (lun(*number)?.preferred
            == *controller)
            .then(|| format!("LUN {number} preferred controller {controller} already")),
        Action::Volume { change, .. } => unchanged(change, lun(change.lun())?),
        Action::SetCondition { lun: number, condition } => {
            (lun(*number)?.condition == *condition).then(|| format!("LUN {number} was so already"))
        }
        _ => None,
    }
}

fn unchanged(change: &VolumeChange, unit: &LunView) -> Option<String> {
    let so = match change {
        VolumeChange::Resize { bytes, .. } => unit.bytes == *bytes,
        VolumeChange::SetReadOnly { read_only, .. } => unit.read_only == *read_only,
        VolumeChange::Show { to, shown, .. } => {
            let mut after = unit.mapping.clone();
            after.show(*to, *shown);
            after == unit.mapping
        }
        VolumeChange::Map(_)
        | VolumeChange::Unmap { .. }
        | VolumeChange::Stretch { .. }
        | VolumeChange::Withdraw { .. }
        | VolumeChange::Remap { .. }
        | VolumeChange::Replace { .. }
        | VolumeChange::Rename { .. } => false,
    };
    so.then(|| format!("LUN {} was so already", unit.lun))
}

fn owned(unit: &LunView, controller: ControllerId) -> Option<String> {
    let owned = unit.owner == controller && unit.split.is_none();
    owned.then(|| format!("controller {controller} owned LUN {} already", unit.lun))
}
