//! Making an array from its configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{agenda::Agenda, parked::Parking, state::State};
use crate::{
    config::{ArrayConfig, ConfigError, LunConfig},
    controller::{Controller, ControllerState},
    fault::Faults,
    ids::ControllerId,
    observe::Stage,
    personality::personality,
    unit::{Unit, world_wide_name},
};

impl State {
    /// The array that a configuration describes.
    pub(super) fn new(config: ArrayConfig) -> Result<State, ConfigError> {
        let personality = personality(&config.personality);
        config.identity.check()?;
        personality.check(&config)?;
        let controllers = controllers(&config)?;
        let faults = Faults::new(&config.faults, &controllers, config.seed)?;
        if config.luns.len() > LunConfig::MAX_COUNT {
            return Err(ConfigError::TooManyLuns { count: config.luns.len() });
        }
        let mut state = State {
            personality,
            identity: config.identity,
            captured: config.captured,
            controllers,
            units: BTreeMap::new(),
            mappings: 0,
            faults,
            links_down: BTreeSet::new(),
            agenda: Agenda::default(),
            parking: Parking::default(),
            released: BTreeSet::new(),
            stage: Stage::Discovery,
            story_began: None,
            command_timeout: config.command_timeout,
            seed: config.seed,
            hbas: BTreeSet::new(),
            notices: BTreeMap::new(),
            next_seq: 0,
        };
        config.luns.into_iter().try_for_each(|lun| state.map_lun(lun))?;
        Ok(state)
    }

    /// Adds a LUN, if it can be.
    pub(super) fn map_lun(&mut self, config: LunConfig) -> Result<(), ConfigError> {
        let max = self.personality.max_lun().min(LunConfig::MAX_LUN);
        config.check(self.controllers.len(), max)?;
        if self.units.contains_key(&config.lun) {
            return Err(ConfigError::DuplicateLun(config.lun));
        }
        if self.units.len() == LunConfig::MAX_COUNT {
            return Err(ConfigError::TooManyLuns { count: self.units.len() + 1 });
        }
        let store = config.map()?;
        let maker = self.personality.maker();
        let name = world_wide_name(maker, &self.identity, config.lun, self.mappings);
        self.mappings = self.mappings.wrapping_add(1);
        self.units.insert(config.lun, Unit::new(config, name, store));
        Ok(())
    }
}

fn controllers(config: &ArrayConfig) -> Result<Vec<Controller>, ConfigError> {
    let (personality, count) = ("an array", config.controllers.len());
    if count == 0 || count > ControllerId::MAX {
        return Err(ConfigError::Controllers { personality, wanted: "1 to 8", count });
    }
    let named = config.controllers.iter().enumerate();
    let checked = named.map(|(index, controller)| match ControllerId::new(index) {
        Some(id) if !(1..=10).contains(&controller.ports) => {
            Err(ConfigError::Ports { controller: id, ports: controller.ports })
        }
        _ => Ok(Controller { state: ControllerState::Online, ports: controller.ports }),
    });
    checked.collect()
}
