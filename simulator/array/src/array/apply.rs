//! The steps of a scenario.

use std::sync::Arc;

use super::{
    agenda::Event,
    link::Link,
    state::{Report, State},
};
use crate::{
    action::{Action, ActionError, Phase},
    completion::{Completion, ServiceResponse},
    config::{ConfigError, LunConfig},
    controller::ControllerState,
    ids::{ControllerId, HbaId, Lun, Nexus, PortId},
    notice::Notice,
    observe::{Changed, LunChange, Stage},
    personality::alua::AccessState,
    sense::Sense,
    store::Store,
    time::Time,
    unit::{Unit, check_size, world_wide_name},
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
            Action::ResetHba { hba } => self.reset_hba(now, hba, report),
            Action::SetOwner { lun, controller } => {
                self.known(controller)?;
                self.unit_mut(lun)?;
                self.move_lun(now, lun, controller, None, report);
            }
            Action::Release { hold } => {
                let released = self.parking.release(now, &hold);
                self.released.insert(hold.clone());
                report.change(now, Changed::Released { hold, commands: released.len() });
                self.notify_resume(released, report);
            }
            Action::Arm { rule, armed } => {
                let found = self.faults.arm(&rule, armed).ok_or(ActionError::NoRule(rule))?;
                let (name, hold) = (found.name.clone(), found.then.hold.clone());
                self.rule_changed(now, name, hold, armed, report);
            }
            Action::AddRule(rule) => {
                let (name, hold, armed) = (rule.name.clone(), rule.then.hold.clone(), rule.armed);
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
            let here = |nexus: Nexus| nexus.port.controller == controller;
            let ended = self.parking.end(
                |arrival| here(arrival.nexus),
                |arrival| Completion::response(ServiceResponse::BadTarget, arrival.offered),
            );
            self.notify_resume(ended, report);
        }
        if from.is_off() && !to.is_off() {
            self.power_on(controller);
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

    fn map(
        &mut self,
        now: Time,
        config: LunConfig,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let (lun, bytes) = (config.lun, config.bytes);
        if self.units.contains_key(&lun) {
            return Err(ActionError::LunMapped(lun));
        }
        // The others are told before it is there: it has no news for anybody.
        self.map_lun(config)?;
        self.push_luns_changed(lun);
        self.lun_changed(now, lun, LunChange::Mapped { bytes }, report);
        self.notify_ports(|port| Notice::LunAdded { port, lun }, report);
        Ok(())
    }

    fn unmap(&mut self, now: Time, lun: Lun, report: &mut Report) -> Result<(), ActionError> {
        self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        self.push_luns_changed(lun);
        self.lun_changed(now, lun, LunChange::Unmapped, report);
        self.notify_ports(|port| Notice::LunRemoved { port, lun }, report);
        Ok(())
    }

    /// The same volume under another number. Who has spoken to it has not spoken to it there.
    fn remap(
        &mut self,
        now: Time,
        lun: Lun,
        to: Lun,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let max = self.personality.max_lun();
        if to.0 > max {
            return Err(ConfigError::LunNumber { lun: to, max }.into());
        }
        if self.units.contains_key(&to) {
            return Err(ActionError::LunMapped(to));
        }
        let mut unit = self.units.remove(&lun).ok_or(ActionError::NoLun(lun))?;
        unit.lun = to;
        unit.nexuses.clear();
        self.units.insert(to, unit);
        self.push_luns_changed(to);
        self.lun_changed(now, lun, LunChange::Remapped { to }, report);
        self.notify_ports(|port| Notice::LunRemoved { port, lun }, report);
        self.notify_ports(|port| Notice::LunAdded { port, lun: to }, report);
        Ok(())
    }

    /// Another volume under the same number. No event tells of it: that is what makes it dangerous.
    fn replace(&mut self, now: Time, lun: Lun, report: &mut Report) -> Result<(), ActionError> {
        let maker = self.personality.maker();
        let name = world_wide_name(maker, &self.identity, lun, self.mappings);
        let unit = self.unit_mut(lun)?;
        let bytes = unit.bytes();
        let store = Store::new(bytes).map_err(|source| ConfigError::Map { lun, bytes, source })?;
        (unit.store, unit.name) = (Arc::new(store), name);
        self.mappings = self.mappings.wrapping_add(1);
        self.push_attention(Some(lun), Sense::INQUIRY_DATA_CHANGED, |_| true);
        self.lun_changed(now, lun, LunChange::Replaced, report);
        Ok(())
    }

    /// REPORTED LUNS DATA HAS CHANGED, on every LUN but the one that is the news.
    fn push_luns_changed(&mut self, news: Lun) {
        for unit in self.units.values_mut().filter(|unit| unit.lun != news) {
            for view in unit.nexuses.values_mut() {
                view.attentions.push(Sense::LUNS_CHANGED);
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
        if !self.personality.port_groups(&self.controllers).contains(&group) {
            return Err(ActionError::NoPortGroup(group));
        }
        self.unit_mut(lun)?;
        self.put_group_states(now, lun, vec![(group, state)], None, report);
        Ok(())
    }

    fn resize(
        &mut self,
        now: Time,
        lun: Lun,
        bytes: u64,
        report: &mut Report,
    ) -> Result<(), ActionError> {
        let unit = self.unit_mut(lun)?;
        check_size(lun, bytes, unit.block_bytes)?;
        let resized = unit.store.resize(bytes);
        resized.map_err(|source| ConfigError::Map { lun, bytes, source })?;
        unit.blocks = bytes / u64::from(unit.block_bytes);
        self.lun_changed(now, lun, LunChange::Resized { bytes }, report);
        self.parameters_changed(lun, Sense::CAPACITY_CHANGED, report);
        Ok(())
    }

    fn lun_changed(&self, now: Time, lun: Lun, change: LunChange, report: &mut Report) {
        report.change(now, Changed::Lun { lun, change });
    }

    /// Tells everybody who sees a LUN that its parameters changed.
    fn parameters_changed(&mut self, lun: Lun, sense: Sense, report: &mut Report) {
        self.push_attention(Some(lun), sense, |_| true);
        let (asc, ascq) = (sense.asc, sense.ascq);
        self.notify_ports(|port| Notice::ParametersChanged { port, lun, asc, ascq }, report);
    }

    /// Tells every HBA with a doorbell something of every port that answers. Which ports it sees is
    /// for the HBA to know.
    fn notify_ports(&mut self, notice: impl Fn(PortId) -> Notice, report: &mut Report) {
        let hbas: Vec<HbaId> = self.hbas.iter().copied().collect();
        let ports = self.ports();
        for hba in hbas {
            for port in &ports {
                self.notify(hba, notice(*port), report);
            }
        }
    }

    fn ports(&self) -> Vec<PortId> {
        let mut ports = Vec::new();
        for (index, controller) in self.controllers.iter().enumerate() {
            let Some(id) = ControllerId::new(index).filter(|_| controller.state.answers()) else {
                continue;
            };
            ports.extend((0..controller.ports).map(|index| PortId { controller: id, index }));
        }
        ports
    }

    pub(super) fn known(&self, controller: ControllerId) -> Result<(), ActionError> {
        let known = controller.index() < self.controllers.len();
        if known { Ok(()) } else { Err(ActionError::NoController(controller)) }
    }

    fn unit_mut(&mut self, lun: Lun) -> Result<&mut Unit, ActionError> {
        self.units.get_mut(&lun).ok_or(ActionError::NoLun(lun))
    }
}
