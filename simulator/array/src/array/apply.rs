//! Actions: the steps of a scenario, and what fault rules do to the array.

use std::sync::Arc;

use sansim_time::Time;

use super::{agenda::Event, report::Report, state::State};
use crate::{
    access_state::AccessState,
    controller::ControllerState,
    fault::{Action, ActionError, Phase},
    ids::{ControllerId, Link, Lun, Nexus, NexusPattern, PortId},
    observe::{Changed, LunChange, Stage},
    personality::GroupChange,
    sense::Sense,
};

impl State {
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
                    self.plan_ping_pongs(now, report);
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
            Action::SetPortOffline { lun, port, offline } => {
                self.set_port_offline(now, lun, port, offline, report)?;
            }
            Action::SetPreferred { lun, controller } => {
                self.known(controller)?;
                self.presented(lun, controller)?;
                self.unit_mut(lun)?.preferred = controller;
                self.lun_changed(now, lun, LunChange::Preferred(controller), report);
            }
            Action::SetCondition { lun, condition } => {
                self.unit_mut(lun)?.condition = condition;
                self.lun_changed(now, lun, LunChange::Condition(condition), report);
            }
            Action::SetArray { array, state } => self.set_array(now, &array, state, report)?,
            Action::SetWitness { present } => self.set_witness(now, present, report)?,
            Action::SetReplication { lun, link } => {
                self.set_replication(now, lun, link, report)?;
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
                self.presented(lun, controller)?;
                self.force(now, lun, controller, report)?;
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
            Action::UnitAttention { to, lun, sense } => self.attend(to, lun, sense)?,
            Action::Event { to, lun, event } => self.send_event(to, lun, event, report),
            Action::Volume { change, notify } => {
                self.change_volume(now, change, &notify, report)?;
            }
        }
        Ok(())
    }

    /// Plans the states that a controller goes through. Cancels its earlier plan.
    pub(super) fn run_through(
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

    /// Puts a controller into a state. If its ports stop answering, the commands that are parked at
    /// them end. If it returns from a state in which it was silent or upgrading, it has had a
    /// power-on reset.
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
        self.replication_follows(now, report);
    }

    /// A removed controller takes the disks behind its ports with it. They return when the
    /// controller answers again.
    fn presence_follows(
        &mut self,
        controller: ControllerId,
        to: ControllerState,
        report: &mut Report,
    ) {
        let present = match to {
            ControllerState::Removed => false,
            to if to.answers() => true,
            // Failed or offline: whether hosts see the disks does not change.
            _ => return,
        };
        let before = &mut self.controllers[controller.index()].present;
        if std::mem::replace(before, present) != present {
            self.tell_of_controller(controller, present, report);
        }
    }

    /// Resets the state of every nexus through the controller, except for saved mode parameters,
    /// and queues a unit attention for the power-on reset.
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

    /// A rule that is armed again holds commands again, even if its hold was released before.
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
        to: NexusPattern,
        lun: Option<Lun>,
        sense: Sense,
    ) -> Result<(), ActionError> {
        if !sense.is_unit_attention() {
            return Err(ActionError::NotUnitAttention(sense));
        }
        if let Some(lun) = lun {
            self.unit_mut(lun)?;
        }
        if let Some(nexus) = to.exact() {
            self.known(nexus.port.controller)?;
            // A named nexus receives the unit attention even if it has not sent a command to the
            // LUN yet.
            for unit in self.units.values_mut().filter(|unit| lun.is_none_or(|lun| lun == unit.lun))
            {
                unit.nexus(nexus);
            }
        }
        self.push_attention(lun, sense, |nexus| to.matches(nexus));
        Ok(())
    }

    /// Queues a unit attention on one LUN, or on every LUN if `lun` is `None`, for the nexuses that
    /// `whom` selects.
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

    /// The array changes the state of a target port group without a request from a host.
    fn set_group_state(
        &mut self,
        now: Time,
        lun: Lun,
        group: u16,
        state: Option<AccessState>,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let of = |port: PortId| self.family_of(port.controller).port_group(&self.controllers, port);
        let unit = self.units.get(&lun).ok_or(ActionError::NoLun(lun))?;
        let presenters = unit.mapping.presenters();
        if !PortId::of(presenters, &self.controllers).any(|port| of(port) == Some(group)) {
            return Err(ActionError::NoPortGroup(group));
        }
        let states = vec![(group, state)];
        let change = GroupChange { states, ..GroupChange::default() };
        self.change_groups(now, lun, change, None, report);
        Ok(())
    }

    /// A port enters or leaves the secondary access state offline without a request from a host.
    fn set_port_offline(
        &mut self,
        now: Time,
        lun: Lun,
        port: PortId,
        offline: bool,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        self.known_port(port)?;
        if self.family_of(port.controller).port_group(&self.controllers, port).is_none() {
            return Err(ActionError::NoPortGroups);
        }
        self.presented(lun, port.controller)?;
        let offline = vec![(port, offline)];
        let change = GroupChange { offline, ..GroupChange::default() };
        self.change_groups(now, lun, change, None, report);
        Ok(())
    }

    pub(super) fn known_port(&self, port: PortId) -> Result<(), ActionError> {
        let there = PortId::all(&self.controllers).any(|it| it == port);
        if there { Ok(()) } else { Err(ActionError::NoPort(port)) }
    }

    /// Refuses a controller whose array does not present a LUN.
    pub(super) fn presented(&self, lun: Lun, controller: ControllerId) -> Result<(), ActionError> {
        let unit = self.units.get(&lun).ok_or(ActionError::NoLun(lun))?;
        let presented = unit.mapping.presenters().has(controller);
        if presented { Ok(()) } else { Err(ActionError::NotPresented { lun, controller }) }
    }

    pub(super) fn known(&self, controller: ControllerId) -> Result<(), ActionError> {
        let known = controller.index() < self.controllers.len();
        if known { Ok(()) } else { Err(ActionError::NoController(controller)) }
    }
}
