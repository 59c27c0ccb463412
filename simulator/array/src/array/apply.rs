//! The steps of a scenario.

use std::sync::Arc;

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::{
    access_state::AccessState,
    controller::ControllerState,
    fault::{Action, ActionError, Phase},
    ids::{ControllerId, Link, Lun, Nexus, PortId},
    observe::{Changed, LunChange, Stage},
    sense::Sense,
};

impl State {
    /// Takes a step.
    pub(super) fn apply(
        &mut self,
        now: Time,
        action: Action,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        match action {
            Action::BeginStory => {
                if self.stage != Stage::Story {
                    self.stage = Stage::Story;
                    self.story_began = Some(now);
                    self.plan_ping_pong(now, report);
                    report.change(now, Changed::Stage(Stage::Story));
                }
            }
            Action::SetController { controller, state } => {
                self.run_through(now, controller, &[], state, report)?;
            }
            Action::Phases { controller, phases, last } => {
                self.run_through(now, controller, &phases, last, report)?;
            }
            Action::SetGroupState { lun, group, state } => {
                self.set_group_state(now, lun, group, state, report)?;
            }
            Action::SetPreferred { lun, controller } => {
                self.known(controller)?;
                self.unit_mut(lun)?.preferred = controller;
                self.lun_changed(now, lun, LunChange::Preferred(controller), report);
            }
            Action::SetCondition { lun, condition } => {
                self.unit_mut(lun)?.condition = condition;
                self.lun_changed(now, lun, LunChange::Condition(condition), report);
            }
            Action::SetLink { hba, port, up } => {
                self.set_link(now, Link { hba, port }, up, report)?;
            }
            Action::FlapLink { hba, port, every, times } => {
                self.flap_link(now, Link { hba, port }, every, times, report)?;
            }
            Action::SetPort { port, present } => self.set_port(now, port, present, report)?,
            Action::ResetHba { hba } => self.reset_hba(now, hba, report),
            Action::SetOwner { lun, controller } => {
                self.known(controller)?;
                self.unit_mut(lun)?;
                self.move_lun(now, lun, controller, None, report);
            }
            Action::Split { lun, apart } => self.split(now, lun, apart, report)?,
            Action::Release { hold } => {
                let released = self.parking.release(now, &hold);
                self.released.insert(hold.clone());
                report.change(now, Changed::Released { hold, commands: released.len() });
                self.notify_resume(released, report);
            }
            Action::Arm { rule, armed } => {
                let found = self.faults.arm(&rule, armed).ok_or(ActionError::NoRule(rule))?;
                let (name, hold) = (found.name.clone(), found.hold().cloned());
                self.rule_changed(now, name, hold, armed, report);
            }
            Action::AddRule(rule) => {
                let (name, hold, armed) = (rule.name.clone(), rule.hold().cloned(), rule.armed);
                if rule.looks_back() {
                    self.remember()?;
                }
                self.faults.add(*rule, &self.controllers)?;
                self.rule_changed(now, name, hold, armed, report);
            }
            Action::UnitAttention { nexus, lun, sense } => {
                self.attend(nexus, lun, sense)?;
            }
            Action::MapLun(config) => self.map(now, config, report)?,
            Action::UnmapLun { lun } => self.unmap(now, lun, report)?,
            Action::RemapLun { lun, to } => self.remap(now, lun, to, report)?,
            Action::ReplaceLun { lun } => self.replace(now, lun, report)?,
            Action::ResizeLun { lun, bytes } => self.resize(now, lun, bytes, report)?,
            Action::SetReadOnly { lun, read_only } => {
                self.unit_mut(lun)?.read_only = read_only;
                self.lun_changed(now, lun, LunChange::ReadOnly(read_only), report);
                self.parameters_changed(lun, Sense::MODE_PARAMETERS_CHANGED, report);
            }
        }
        Ok(())
    }

    /// Plans the states of a controller; what was planned for it before is void.
    fn run_through(
        &mut self,
        now: Time,
        controller: ControllerId,
        phases: &[Phase],
        last: ControllerState,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.known(controller)?;
        self.forget_plans(controller);
        let mut begins = now;
        for phase in phases {
            self.plan(begins, Event::Controller(controller, phase.state), report);
            begins = begins + phase.lasts;
        }
        self.plan(begins, Event::Controller(controller, last), report);
        self.catch_up(now, report);
        Ok(())
    }

    /// A controller that falls silent takes the commands that wait at it along; one that comes back
    /// from silence or from new firmware has been off.
    pub(super) fn change_state(
        &mut self,
        now: Time,
        controller: ControllerId,
        to: ControllerState,
        report: &mut Report,
    ) {
        let from = std::mem::replace(&mut self.controllers[controller.index()].state, to);
        if from == to {
            return;
        }
        report.change(now, Changed::Controller { controller, from, to });
        self.forget_reservations(controller);
        if from.answers() && !to.answers() {
            self.end_undelivered(|nexus| nexus.port.controller == controller, report);
        }
        if from.is_off() && !to.is_off() {
            self.power_on(controller);
        }
        self.presence_follows(controller, to, report);
        self.ownership_follows(now, controller, from, to, report);
    }

    /// A controller that is taken out takes its disks along; they are there again when it answers.
    fn presence_follows(
        &mut self,
        controller: ControllerId,
        to: ControllerState,
        report: &mut Report,
    ) {
        let present = match to {
            ControllerState::Removed => false,
            to if to.answers() => true,
            // It is as it was.
            _ => return,
        };
        let before = &mut self.controllers[controller.index()].present;
        if std::mem::replace(before, present) != present {
            self.tell_of_controller(controller, present, report);
        }
    }

    /// What a controller kept of the nexuses through it is gone but for what was saved.
    fn power_on(&mut self, controller: ControllerId) {
        for unit in self.units.values_mut() {
            for (nexus, view) in &mut unit.nexuses {
                if nexus.port.controller == controller {
                    view.attentions.push(Sense::POWER_ON);
                    view.control.reset();
                }
            }
        }
    }

    /// A rule that works anew holds anew.
    fn rule_changed(
        &mut self,
        now: Time,
        name: Arc<str>,
        hold: Option<Arc<str>>,
        armed: bool,
        report: &mut Report,
    ) {
        if let Some(hold) = hold.filter(|_| armed) {
            self.released.remove(&hold);
        }
        report.change(now, Changed::Rule { name, armed });
    }

    fn attend(
        &mut self,
        nexus: Option<Nexus>,
        lun: Option<Lun>,
        sense: Sense,
    ) -> Result<(), ActionError> {
        if sense.key != Sense::POWER_ON.key {
            return Err(ActionError::NotUnitAttention(sense));
        }
        if let Some(lun) = lun {
            self.unit_mut(lun)?;
        }
        if let Some(nexus) = nexus {
            self.known(nexus.port.controller)?;
            // It is told even if it speaks to the LUN for the first time.
            for unit in self.units.values_mut().filter(|unit| lun.is_none_or(|lun| lun == unit.lun))
            {
                unit.nexus(nexus);
            }
        }
        self.push_attention(lun, sense, |it| nexus.is_none_or(|nexus| nexus == it));
        Ok(())
    }

    /// Queues a unit attention on a LUN, or on all of them, for those nexuses that `whom` picks.
    pub(super) fn push_attention(
        &mut self,
        lun: Option<Lun>,
        sense: Sense,
        whom: impl Fn(Nexus) -> bool,
    ) {
        for unit in self.units.values_mut().filter(|unit| lun.is_none_or(|lun| lun == unit.lun)) {
            for (_, view) in unit.nexuses.iter_mut().filter(|(nexus, _)| whom(**nexus)) {
                view.attentions.push(sense);
            }
        }
    }

    /// A target port group's state changes without a host's asking.
    fn set_group_state(
        &mut self,
        now: Time,
        lun: Lun,
        group: u16,
        state: Option<AccessState>,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        if !self.family().port_groups(&self.controllers).contains(&group) {
            return Err(ActionError::NoPortGroup(group));
        }
        self.unit_mut(lun)?;
        self.put_group_states(now, lun, vec![(group, state)], None, report);
        Ok(())
    }

    pub(super) fn known_port(&self, port: PortId) -> Result<(), ActionError> {
        let there = PortId::all(&self.controllers).any(|it| it == port);
        if there { Ok(()) } else { Err(ActionError::NoPort(port)) }
    }

    pub(super) fn known(&self, controller: ControllerId) -> Result<(), ActionError> {
        let known = controller.index() < self.controllers.len();
        if known { Ok(()) } else { Err(ActionError::NoController(controller)) }
    }
}
