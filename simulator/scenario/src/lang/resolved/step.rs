//! `[[step]]`.

use sansim_array::{Action, ControllerId, ControllerState, Lun, Nexus};

use super::{at, name, san, span};
use crate::lang::{
    file::{self, LunOwner, Part, SetState, StopName},
    plan::{Occurrence, Step, StepAction, Trigger},
    value::Size,
};

pub(super) fn step(step: &Step) -> file::Step {
    let mut table = file::Step { name: Some(at(step.name.clone())), ..Default::default() };
    match &step.trigger {
        Trigger::At(time) => table.at = Some(span(*time)),
        Trigger::On { event, after } => {
            table.on = Some(at(on(event)));
            table.after = Some(span(*after));
        }
    }
    match &step.action {
        StepAction::Array(action) => array_action(action, &mut table),
        StepAction::Message { lun, text } => {
            table.lun = Some(number(*lun));
            table.message = Some(at(text.clone()));
        }
        StepAction::Reinstate { lun, paths } => {
            table.lun = Some(number(*lun));
            table.reinstate = Some(at(file::StringOrPath(*paths)));
        }
        StepAction::Run { argv, timeout } => {
            table.run = Some(at(argv.clone()));
            table.timeout = Some(span(*timeout));
        }
        StepAction::Write { path, text } => {
            table.write = Some(at(file::WriteFile { path: at(path.clone()), text: text.clone() }));
        }
        StepAction::StopWorkload => table.stop = Some(StopName::Workload),
        StepAction::End => table.end = Some(at(true)),
    }
    table
}

fn number(lun: Lun) -> crate::lang::value::At<u64> {
    at(lun.0.into())
}

pub(super) fn owner(lun: Lun, controller: ControllerId) -> LunOwner {
    LunOwner { lun: number(lun), controller: name(controller) }
}

fn on(event: &Occurrence) -> file::On {
    let mut table = file::On::default();
    match event {
        Occurrence::Fault { name, nth } => {
            table.fault = Some(at(name.to_string()));
            table.nth = Some(at(*nth));
        }
        Occurrence::PgInit { rounds, lun } => {
            table.pg_init = Some(at((*rounds).into()));
            table.lun = Some(number(*lun));
        }
        Occurrence::Owner { lun, controller } => table.owner = Some(owner(*lun, *controller)),
        Occurrence::PathFailed { path, lun } => {
            table.path_failed = Some(at(file::StringOrPath(*path)));
            table.lun = Some(number(*lun));
        }
        Occurrence::Held(hold) => table.held = Some(at(hold.to_string())),
        Occurrence::Log(text) => table.log = Some(at(text.clone())),
        Occurrence::Step(step) => table.step = Some(at(step.clone())),
    }
    table
}

fn array_action(action: &Action, table: &mut file::Step) {
    match action {
        Action::SetController { controller, state: ControllerState::Failed } => {
            table.fail = Some(name(Part(*controller)));
        }
        Action::SetController { controller, state: ControllerState::Online } => {
            table.restore = Some(name(Part(*controller)));
        }
        Action::SetController { controller, state } => {
            table.set = Some(SetState { controller: name(*controller), state: name(*state) });
        }
        Action::Phases { controller, phases, last } => {
            let through = phases.iter().map(|phase| {
                let (state, lasts) = (name(phase.state), span(phase.lasts));
                file::PhaseTable { state, lasts }
            });
            table.phases = Some(at(file::Phases {
                controller: name(*controller),
                through: through.collect(),
                last: Some(name(*last)),
            }));
        }
        Action::SetLink { hba, port, up } => {
            table.link = Some(at(file::Link {
                port: name(*port),
                hba: hba.map(|hba| at(hba.0.into())),
                up: Some(*up),
                flap: None,
            }));
        }
        Action::FlapLink { hba, port, every, times } => {
            let flap = file::Flap { every: span(*every), times: at((*times).into()) };
            table.link = Some(at(file::Link {
                port: name(*port),
                hba: hba.map(|hba| at(hba.0.into())),
                up: None,
                flap: Some(at(flap)),
            }));
        }
        Action::SetPort { port, present: true } => table.plug = Some(name(*port)),
        Action::SetPort { port, present: false } => table.unplug = Some(name(*port)),
        Action::ResetHba { hba } => table.reset_hba = Some(at(hba.0.into())),
        Action::SetOwner { lun, controller } => table.own = Some(owner(*lun, *controller)),
        Action::Split { lun, apart: Some(apart) } => {
            let split = file::Split { lun: number(*lun), apart: Some((*apart).into()) };
            table.split = Some(at(split));
        }
        Action::Split { lun, apart: None } => table.heal = Some(number(*lun)),
        Action::SetGroupState { lun, group, state } => {
            let (lun, state) = (Some(number(*lun)), state.map(name));
            table.port_group = Some(at(file::PortGroup { lun, group: at((*group).into()), state }));
        }
        Action::SetCondition { lun, condition } => {
            let (lun, is) = (number(*lun), name(*condition));
            table.condition = Some(at(file::LunCondition { lun, is }));
        }
        Action::Release { hold } => table.release = Some(at(hold.to_string())),
        Action::Arm { rule, armed: true } => table.arm = Some(at(rule.to_string())),
        Action::Arm { rule, armed: false } => table.disarm = Some(at(rule.to_string())),
        Action::UnitAttention { nexus, lun, sense } => {
            table.unit_attention = Some(at(file::UnitAttention {
                sense: name(*sense),
                hba: nexus.map(|Nexus { hba, .. }| at(hba.0.into())),
                port: nexus.map(|Nexus { port, .. }| name(port)),
                lun: lun.map(number),
            }));
        }
        Action::MapLun(config) => table.map = Some(at(san::lun(config))),
        Action::UnmapLun { lun } => table.unmap = Some(number(*lun)),
        Action::RemapLun { lun, to } => {
            table.remap = Some(at(file::Remap { lun: number(*lun), to: number(*to) }));
        }
        Action::ReplaceLun { lun } => table.replace = Some(number(*lun)),
        Action::ResizeLun { lun, bytes } => {
            table.resize = Some(file::Resize { lun: number(*lun), size: name(Size(*bytes)) });
        }
        Action::SetReadOnly { lun, read_only } => {
            let read_only = Some(*read_only);
            table.read_only = Some(file::ReadOnly { lun: number(*lun), read_only });
        }
        // No step can ask for these; the runner takes them itself.
        Action::BeginStory | Action::AddRule(_) => {}
    }
}
