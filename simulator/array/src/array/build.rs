//! Building an array from its configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{agenda::Agenda, parked::Parking, state::State};
use crate::{
    config::{ArrayConfig, ControllerConfig},
    controller::{Controller, ControllerState},
    error::ConfigError,
    families::PersonalityConfig,
    fault::{ActionError, Faults},
    ids::{ControllerId, Lun, PortId},
    lun_config::{LunConfig, Shown},
    observe::Stage,
    store::Store,
    unit::Unit,
};

impl State {
    pub(super) fn new(config: ArrayConfig) -> Result<State, ConfigError> {
        config.identity.check()?;
        if config.ownership.ping_pong.is_some_and(|every| every.is_zero()) {
            return Err(ConfigError::PingPong);
        }
        let controllers =
            controllers(&config.personality, &config.controllers, &config.relative_ports)?;
        config.personality.family().check(&controllers)?;
        let ports: Vec<_> = PortId::all(&controllers).collect();
        if let Some(port) = config.unplugged.iter().find(|port| !ports.contains(port)) {
            return Err(ConfigError::NoPort(*port));
        }
        let faults = Faults::new(&config.faults, &controllers, config.seed)?;
        if config.luns.len() > LunConfig::MAX_COUNT {
            return Err(ConfigError::TooManyLuns { count: config.luns.len() });
        }
        let mut state = State {
            personality: config.personality,
            identity: config.identity,
            target: config.target,
            captured: config.captured,
            captured_groups: config.captured_groups,
            controllers,
            units: BTreeMap::new(),
            mappings: 0,
            faults,
            links_down: BTreeSet::new(),
            ports_out: config.unplugged.into_iter().collect(),
            ownership: config.ownership,
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
            if self.faults.look_back() {
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
        let max = self.personality.max_lun().min(LunConfig::MAX_LUN);
        config.check(self.controllers.len(), max)?;
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
        let store = self.store(config.lun, config.bytes)?;
        let made = self.next_name(config.lun);
        let name = config.name.unwrap_or(made);
        self.units.insert(config.lun, Unit::new(config, name, store));
        Ok(())
    }
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
    /// The numbers of every port of an array, controller by controller.
    ///
    /// # Errors
    /// Returns an error if the numbers or the target port groups are invalid.
    pub fn of(
        personality: &PersonalityConfig,
        configs: &[ControllerConfig],
        relative_ports: &[(PortId, u16)],
    ) -> Result<Vec<PortNumbers>, ConfigError> {
        let controllers = controllers(personality, configs, relative_ports)?;
        let family = personality.family();
        family.check(&controllers)?;
        let numbers = |port: PortId| PortNumbers {
            port,
            relative: port.relative(&controllers),
            group: family.port_group(&controllers, port),
        };
        Ok(PortId::all(&controllers).map(numbers).collect())
    }
}

fn controllers(
    personality: &PersonalityConfig,
    configs: &[ControllerConfig],
    relative_ports: &[(PortId, u16)],
) -> Result<Vec<Controller>, ConfigError> {
    let family = personality.family();
    let (personality, most) = (family.name(), family.most_controllers());
    let count = configs.len();
    if !(1..=usize::from(most)).contains(&count) {
        return Err(ConfigError::Controllers { personality, most, count });
    }
    let named = configs.iter().enumerate();
    let checked = named.map(|(index, controller)| match ControllerId::new(index) {
        Some(id) if !(1..=10).contains(&controller.ports) => {
            Err(ConfigError::Ports { controller: id, ports: controller.ports })
        }
        _ => Ok(Controller {
            state: ControllerState::Online,
            ports: controller.ports,
            relative: [0; Controller::MAX_PORTS],
            present: true,
        }),
    });
    let mut controllers: Vec<Controller> = checked.collect::<Result<_, _>>()?;
    number_ports(&mut controllers, relative_ports)?;
    Ok(controllers)
}

/// Numbers the ports across all controllers, from 1, except those that have a number of their own.
fn number_ports(controllers: &mut [Controller], own: &[(PortId, u16)]) -> Result<(), ConfigError> {
    let ports: Vec<PortId> = PortId::all(controllers).collect();
    if let Some((port, _)) = own.iter().find(|(port, _)| !ports.contains(port)) {
        return Err(ConfigError::UnknownPort(*port));
    }
    let mut taken = BTreeSet::new();
    for port in ports {
        let given = own.iter().find(|(named, _)| *named == port).map(|(_, number)| *number);
        let number = given.unwrap_or(port.position(controllers) + 1);
        if number == 0 || !taken.insert(number) {
            return Err(ConfigError::RelativePort { port, number });
        }
        controllers[port.controller.index()].relative[usize::from(port.index)] = number;
    }
    Ok(())
}
