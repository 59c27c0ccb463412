//! The states of a controller.

use std::{fmt, str::FromStr};

use crate::{
    ids::{ControllerId, PortId},
    names::{Names, choices, name_of, named},
};

/// What a controller is doing. What it answers in each state is its personality's business, but for
/// the last three, in which nothing answers at its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControllerState {
    /// Serving.
    Online,
    /// Letting go of its LUNs: commands are put off.
    Quiescing,
    /// Starting: it answers, but is not ready yet.
    Booting,
    /// Having its firmware replaced.
    Upgrading,
    /// Taken off line by an operator: its ports are silent.
    Offline,
    /// Broken: its ports are silent.
    Failed,
    /// Taken out of the array, and its ports' disks with it.
    Removed,
}

impl ControllerState {
    const NAMES: Names<ControllerState, 7> = [
        ("online", ControllerState::Online),
        ("quiescing", ControllerState::Quiescing),
        ("booting", ControllerState::Booting),
        ("upgrading", ControllerState::Upgrading),
        ("offline", ControllerState::Offline),
        ("failed", ControllerState::Failed),
        ("removed", ControllerState::Removed),
    ];

    /// Whether it has forgotten what it kept of the nexuses through it.
    pub(crate) fn is_off(self) -> bool {
        !self.answers() || self == ControllerState::Upgrading
    }

    /// Whether anything answers at its ports.
    pub fn answers(self) -> bool {
        !matches!(
            self,
            ControllerState::Offline | ControllerState::Failed | ControllerState::Removed
        )
    }
}

impl fmt::Display for ControllerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(&Self::NAMES, self))
    }
}

/// A name that is not a controller's state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a controller's state: {list}", list = choices(&ControllerState::NAMES))]
pub struct ParseControllerStateError(String);

impl FromStr for ControllerState {
    type Err = ParseControllerStateError;

    fn from_str(text: &str) -> Result<Self, ParseControllerStateError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseControllerStateError(text.into()))
    }
}

/// A controller, as it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Controller {
    pub(crate) state: ControllerState,
    pub(crate) ports: u8,
    /// Whether it is in the array, as far as hosts were told.
    pub(crate) present: bool,
}

impl PortId {
    /// Every port of these controllers, by controller and index.
    pub(crate) fn all(controllers: &[Controller]) -> impl Iterator<Item = PortId> + '_ {
        let ids = controllers.iter().enumerate();
        ids.filter_map(|(at, controller)| Some((ControllerId::new(at)?, controller.ports)))
            .flat_map(|(controller, ports)| {
                (0..ports).map(move |index| PortId { controller, index })
            })
    }

    /// Its place among the ports of all controllers, counted from 1 (SPC-4 7.8.6.7).
    pub(crate) fn relative(self, controllers: &[Controller]) -> u16 {
        let before = controllers.iter().take(self.controller.index());
        before.map(|controller| u16::from(controller.ports)).sum::<u16>()
            + u16::from(self.index)
            + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (name, state) in ControllerState::NAMES {
            assert_eq!(state.to_string(), name);
            assert_eq!(name.parse(), Ok(state));
        }
        assert!("Online".parse::<ControllerState>().is_err());
    }
}
