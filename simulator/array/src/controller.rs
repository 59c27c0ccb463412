//! Controllers and their states.

use std::{fmt, str::FromStr};

use crate::{
    ids::{ControllerId, Controllers, FrameId, PortId},
    names::{Names, choices, name_of, named},
};

/// The state of a controller. The personality decides how a controller answers in each state,
/// except in the last three, in which its ports do not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControllerState {
    /// In normal operation: the controller serves the LUNs that it owns.
    Online,
    /// Giving up its LUNs: commands are answered with a sense that makes the host retry.
    Quiescing,
    /// Starting: the ports answer, but the controller is not ready.
    Booting,
    /// Its firmware is being replaced.
    Upgrading,
    /// Taken offline by an operator. Its ports do not answer.
    Offline,
    /// Broken. Its ports do not answer.
    Failed,
    /// Removed from the array, together with the disks behind its ports. Its ports do not answer.
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

    /// Whether the controller has lost what it remembered about its nexuses.
    pub(crate) fn is_off(self) -> bool {
        !self.answers() || self == ControllerState::Upgrading
    }

    /// Whether the controller's ports answer.
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

/// The error for a name that is not a controller state. It holds the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a controller's state: {list}", list = choices(&ControllerState::NAMES))]
pub struct ParseControllerStateError(String);

impl FromStr for ControllerState {
    type Err = ParseControllerStateError;

    fn from_str(text: &str) -> Result<Self, ParseControllerStateError> {
        named(&Self::NAMES, text).ok_or_else(|| ParseControllerStateError(text.into()))
    }
}

/// The current state of a controller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Controller {
    /// The array that the controller is in.
    pub(crate) frame: FrameId,
    /// The place of the controller in its array, from 0.
    pub(crate) slot: u8,
    pub(crate) state: ControllerState,
    pub(crate) ports: u8,
    /// The relative target port identifiers of the ports.
    pub(crate) relative: [u16; Controller::MAX_PORTS],
    /// Whether the controller is in the array, according to the last notice to the hosts.
    pub(crate) present: bool,
}

impl Default for Controller {
    fn default() -> Self {
        Controller {
            frame: FrameId(0),
            slot: 0,
            state: ControllerState::Online,
            ports: 0,
            relative: [0; Controller::MAX_PORTS],
            present: true,
        }
    }
}

impl Controller {
    /// The maximum number of ports of a controller.
    pub(crate) const MAX_PORTS: usize = 10;
}

impl PortId {
    /// Every port of these controllers, ordered by controller and index.
    pub(crate) fn all(controllers: &[Controller]) -> impl Iterator<Item = PortId> + '_ {
        let ids = controllers.iter().enumerate();
        ids.filter_map(|(at, controller)| Some((ControllerId::new(at)?, controller.ports)))
            .flat_map(|(controller, ports)| {
                (0..ports).map(move |index| PortId { controller, index })
            })
    }

    /// Every port of some of these controllers, in the same order.
    pub(crate) fn of(
        of: Controllers,
        controllers: &[Controller],
    ) -> impl Iterator<Item = PortId> + '_ {
        PortId::all(controllers).filter(move |port| of.has(port.controller))
    }

    /// The position of the port among all ports of its array, controller by controller, from 0.
    pub(crate) fn position(self, controllers: &[Controller]) -> u16 {
        let frame = controllers.get(self.controller.index()).map(|own| own.frame);
        let before = controllers.iter().take(self.controller.index());
        let before = before.filter(|other| Some(other.frame) == frame);
        before.map(|controller| u16::from(controller.ports)).sum::<u16>() + u16::from(self.index)
    }

    /// The relative target port identifier (SPC-4 7.8.6.7); 0, which is reserved, for a port that does
    /// not exist.
    pub(crate) fn relative(self, controllers: &[Controller]) -> u16 {
        let controller = controllers.get(self.controller.index());
        let relative = controller.and_then(|it| it.relative.get(usize::from(self.index)));
        relative.copied().unwrap_or(0)
    }

    /// The port of some controllers with a relative target port identifier.
    pub(crate) fn with_relative(
        relative: u16,
        of: Controllers,
        controllers: &[Controller],
    ) -> Option<PortId> {
        PortId::of(of, controllers).find(|port| port.relative(controllers) == relative)
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
