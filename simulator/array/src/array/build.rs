//! Building an array from its configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{agenda::Agenda, parked::Parking, state::State};
use crate::{
    config::ArrayConfig,
    controller::{Controller, ControllerState},
    error::ConfigError,
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
        config.personality.family().check()?;
        let controllers = controllers(&config)?;
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

fn controllers(config: &ArrayConfig) -> Result<Vec<Controller>, ConfigError> {
    let family = config.personality.family();
    let (personality, most) = (family.name(), family.most_controllers());
    let count = config.controllers.len();
    if !(1..=usize::from(most)).contains(&count) {
        return Err(ConfigError::Controllers { personality, most, count });
    }
    let named = config.controllers.iter().enumerate();
    let checked = named.map(|(index, controller)| match ControllerId::new(index) {
        Some(id) if !(1..=10).contains(&controller.ports) => {
            Err(ConfigError::Ports { controller: id, ports: controller.ports })
        }
        _ => Ok(Controller {
            state: ControllerState::Online,
            ports: controller.ports,
            present: true,
        }),
    });
    checked.collect()
}
