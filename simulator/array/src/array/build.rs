//! Building an array from its configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{agenda::Agenda, parked::Parking, state::State};
use crate::{
    canary::Canary,
    config::{ArrayConfig, ControllerConfig, FrameConfig},
    controller::Controller,
    error::ConfigError,
    families::PersonalityConfig,
    fault::{ActionError, Faults},
    ids::{ControllerId, Controllers, FrameId, Lun, PortId},
    lun_config::{LunConfig, Shown},
    observe::Stage,
    personality::{Frame, Personality},
    store::Store,
    unit::Unit,
};

impl State {
    pub(super) fn new(config: ArrayConfig) -> Result<State, ConfigError> {
        let (frames, controllers) = frames(&config.frames)?;
        let ports: Vec<_> = PortId::all(&controllers).collect();
        if let Some(port) = config.unplugged.iter().find(|port| !ports.contains(port)) {
            return Err(ConfigError::NoPort(*port));
        }
        let faults = Faults::new(&config.faults, &controllers, config.seed)?;
        if config.luns.len() > LunConfig::MAX_COUNT {
            return Err(ConfigError::TooManyLuns { count: config.luns.len() });
        }
        let mut state = State {
            frames,
            controllers,
            metro: config.metro,
            witness: config.metro.witness,
            isolated: BTreeSet::new(),
            units: BTreeMap::new(),
            mappings: 0,
            faults,
            links_down: BTreeSet::new(),
            ports_out: config.unplugged.into_iter().collect(),
            agenda: Agenda::default(),
            parking: Parking::default(),
            released: BTreeSet::new(),
            stage: Stage::Discovery,
            story_began: None,
            command_timeout: config.command_timeout,
            seed: config.seed,
            memory: config.memory,
            canary: config.canary,
            hbas: BTreeSet::new(),
            notices: BTreeMap::new(),
            next_seq: 0,
        };
        config.luns.into_iter().try_for_each(|lun| state.map_lun(lun))?;
        Ok(state)
    }

    /// Allocates the contents of a LUN. They keep overwritten data too if a fault rule needs it.
    pub(super) fn store(&self, lun: Lun, bytes: u64) -> Result<Store, ConfigError> {
        let made = Store::new(bytes, &self.memory).and_then(|store| {
            if self.faults.look_back() || self.canary.is_some_and(Canary::looks_back) {
                store.remember()?;
            }
            Ok(store)
        });
        made.map_err(|source| ConfigError::Map { lun, bytes, source })
    }

    /// From now on, every LUN keeps the data that is overwritten (for stale reads).
    pub(super) fn remember(&self) -> Result<(), ConfigError> {
        self.units.values().try_for_each(|unit| {
            let (lun, bytes) = (unit.lun, unit.bytes());
            let remembers = unit.stores().try_for_each(|store| store.remember());
            remembers.map_err(|source| ConfigError::Map { lun, bytes, source })
        })
    }

    pub(super) fn map_lun(&mut self, config: LunConfig) -> Result<(), ConfigError> {
        let max = self.family_of(config.owner).max_lun().min(LunConfig::MAX_LUN);
        config.check(self.controllers.len(), max)?;
        let config = self.placed(config)?;
        if self.units.contains_key(&config.lun) {
            return Err(ConfigError::DuplicateLun(config.lun));
        }
        if self.units.len() == LunConfig::MAX_COUNT {
            return Err(ConfigError::TooManyLuns { count: self.units.len() + 1 });
        }
        let numbers = config.mapping.entries().iter().filter_map(|(_, shown)| match shown {
            Shown::As(number) => Some(*number),
            Shown::Own | Shown::Masked => None,
        });
        if let Some(lun) = numbers.max().filter(|number| number.0 > max) {
            return Err(ConfigError::LunNumber { lun, max });
        }
        if let Err(ActionError::NumberTaken { nexus, number }) =
            self.free_at(config.lun, &config.mapping)
        {
            return Err(ConfigError::NumberTaken { nexus, number });
        }
        let (lun, owner) = (config.lun, config.owner);
        let stretch = config.partner.map(|partner| self.stretch_of(lun, owner, partner, None));
        let stretch = stretch.transpose()?;
        let store = self.store(lun, config.bytes)?;
        let made = self.next_name(lun, owner);
        let name = config.name.unwrap_or(made);
        let unit = Unit { stretch, ..Unit::new(config, name, store) };
        self.units.insert(lun, unit);
        Ok(())
    }

    /// The configuration of a LUN that only its arrays present.
    pub(super) fn placed(&self, config: LunConfig) -> Result<LunConfig, ConfigError> {
        let LunConfig { lun, owner, preferred, partner, .. } = config;
        if self.frames.len() == 1 && partner.is_none() {
            return Ok(config);
        }
        let own = self.frame_of(owner).controllers;
        let far = partner.map(|partner| self.frame_of(partner).controllers);
        let presenters = far.map_or(own, |far| own.and(far));
        let wrong = |controller, why| Err(ConfigError::WrongArray { lun, controller, why });
        match partner {
            Some(partner) if own.has(partner) => {
                wrong(partner, "a partner is of another array than the owner")
            }
            _ if !presenters.has(preferred) => {
                wrong(preferred, "its array does not present the LUN")
            }
            _ => Ok(LunConfig { mapping: config.mapping.within(presenters), ..config }),
        }
    }
}

/// The arrays, and the controllers of all of them.
fn frames(configs: &[FrameConfig]) -> Result<(Vec<Frame>, Vec<Controller>), ConfigError> {
    let (mut frames, mut all) = (Vec::<Frame>::new(), Vec::new());
    for array in configs {
        array.identity.check()?;
        if array.ownership.ping_pong.is_some_and(|every| every.is_zero()) {
            return Err(ConfigError::PingPong);
        }
        if frames.iter().any(|frame| frame.identity.name == array.identity.name) {
            return Err(ConfigError::DuplicateArray(array.identity.name.clone()));
        }
        let before = all.len();
        let id = FrameId(frames.len() as u8);
        add_controllers(id, array, &mut all)?;
        frames.push(Frame {
            controllers: Controllers::from_range(before..all.len()),
            personality: array.personality.clone().into_family(),
            identity: array.identity.clone(),
            target: array.target,
            captured: array.captured.clone(),
            captured_groups: array.captured_groups.clone(),
            ownership: array.ownership,
        });
    }
    Ok((frames, all))
}

/// The numbers by which hosts know a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortNumbers {
    /// The port.
    pub port: PortId,
    /// Its relative target port identifier (SPC-4 7.8.6.7).
    pub relative: u16,
    /// The identifier of its target port group (SPC-4 6.37); `None` if the array reports no groups.
    pub group: Option<u16>,
}

impl PortNumbers {
    /// The numbers of every port of an array, controller by controller. `before` is the number of the
    /// controllers of the arrays before it.
    ///
    /// # Errors
    /// Returns an error if the numbers or the target port groups are invalid.
    pub fn of(
        personality: &PersonalityConfig,
        before: usize,
        configs: &[ControllerConfig],
        relative_ports: &[(PortId, u16)],
    ) -> Result<Vec<PortNumbers>, ConfigError> {
        let mut controllers = vec![Controller::default(); before];
        let family = personality.family();
        add(FrameId(1), family, configs, relative_ports, &mut controllers)?;
        let numbers = |port: PortId| PortNumbers {
            port,
            relative: port.relative(&controllers),
            group: family.port_group(&controllers, port),
        };
        let own = Controllers::from_range(before..controllers.len());
        Ok(PortId::of(own, &controllers).map(numbers).collect())
    }
}

fn add_controllers(
    frame: FrameId,
    array: &FrameConfig,
    all: &mut Vec<Controller>,
) -> Result<(), ConfigError> {
    add(frame, array.personality.family(), &array.controllers, &array.relative_ports, all)
}

/// Adds the controllers of an array to those of the arrays before it.
fn add(
    frame: FrameId,
    family: &dyn Personality,
    configs: &[ControllerConfig],
    relative_ports: &[(PortId, u16)],
    all: &mut Vec<Controller>,
) -> Result<(), ConfigError> {
    let (personality, most) = (family.name(), family.most_controllers());
    let (before, count) = (all.len(), configs.len());
    if !(1..=usize::from(most)).contains(&count) {
        return Err(ConfigError::Controllers { personality, most, count });
    }
    if before + count > ControllerId::MAX {
        return Err(ConfigError::TooManyControllers { count: before + count });
    }
    for (slot, controller) in configs.iter().enumerate() {
        if let Some(id) = ControllerId::new(before + slot)
            && !(1..=10).contains(&controller.ports)
        {
            return Err(ConfigError::Ports { controller: id, ports: controller.ports });
        }
        let ports = controller.ports;
        all.push(Controller { frame, slot: slot as u8, ports, ..Controller::default() });
    }
    let own = Controllers::from_range(before..all.len());
    number_ports(own, all, relative_ports)?;
    family.check(own, all)
}

/// Numbers the ports of an array across its controllers, from 1, except those that have a number of
/// their own.
fn number_ports(
    own: Controllers,
    controllers: &mut [Controller],
    given: &[(PortId, u16)],
) -> Result<(), ConfigError> {
    let ports: Vec<PortId> = PortId::of(own, controllers).collect();
    if let Some((port, _)) = given.iter().find(|(port, _)| !ports.contains(port)) {
        return Err(ConfigError::UnknownPort(*port));
    }
    let mut taken = BTreeSet::new();
    for port in ports {
        let given = given.iter().find(|(named, _)| *named == port).map(|(_, number)| *number);
        let number = given.unwrap_or(port.position(controllers) + 1);
        if number == 0 || !taken.insert(number) {
            return Err(ConfigError::RelativePort { port, number });
        }
        controllers[port.controller.index()].relative[usize::from(port.index)] = number;
    }
    Ok(())
}
