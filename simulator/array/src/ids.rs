//! Identifiers of HBAs, controllers, ports, nexuses and LUNs.

use std::{fmt, str::FromStr};

/// An HBA of the host, numbered from 0. Displayed as `hba0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HbaId(pub u8);

impl fmt::Display for HbaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hba{}", self.0)
    }
}

/// A controller of the array, displayed as `A`, `B` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerId(u8);

impl ControllerId {
    /// The maximum number of controllers in an array.
    pub const MAX: usize = 8;
    /// The first controller, displayed as `A`.
    pub const A: ControllerId = ControllerId(0);
    /// The second controller, displayed as `B`.
    pub const B: ControllerId = ControllerId(1);

    /// Returns `None` if `index` is not below [`ControllerId::MAX`].
    pub fn new(index: usize) -> Option<Self> {
        (index < Self::MAX).then_some(ControllerId(index as u8))
    }

    /// The position of the controller, 0 for `A`.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(b'A' + self.0))
    }
}

/// The error for a text that is not a controller (`A` to `H`) or a port (`A0` to `H9`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not {1}")]
pub struct ParseIdError(String, &'static str);

impl FromStr for ControllerId {
    type Err = ParseIdError;

    fn from_str(name: &str) -> Result<Self, ParseIdError> {
        match name.as_bytes() {
            [letter @ b'A'..=b'H'] => Ok(ControllerId(letter - b'A')),
            _ => Err(ParseIdError(name.into(), "a controller, `A` to `H`")),
        }
    }
}

/// A target port of a controller, displayed as `A0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId {
    /// The controller that has the port.
    pub controller: ControllerId,
    /// The number of the port, from 0 on each controller.
    pub index: u8,
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.controller, self.index)
    }
}

impl FromStr for PortId {
    type Err = ParseIdError;

    fn from_str(name: &str) -> Result<Self, ParseIdError> {
        match name.as_bytes() {
            [letter @ b'A'..=b'H', digit @ b'0'..=b'9'] => {
                Ok(PortId { controller: ControllerId(letter - b'A'), index: digit - b'0' })
            }
            _ => Err(ParseIdError(name.into(), "a port, `A0` to `H9`")),
        }
    }
}

/// An I_T nexus: an initiator port and a target port. Unit attentions and counters are kept per
/// nexus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nexus {
    /// The HBA with the initiator port.
    pub hba: HbaId,
    /// The controller's target port.
    pub port: PortId,
}

impl fmt::Display for Nexus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hba, self.port)
    }
}

/// The link between an HBA and a port, or the port's own link, which all HBAs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) hba: Option<HbaId>,
    pub(crate) port: PortId,
}

impl Link {
    /// Whether commands of this nexus use the link.
    pub(crate) fn carries(self, nexus: Nexus) -> bool {
        nexus.port == self.port && self.hba.is_none_or(|hba| hba == nexus.hba)
    }
}

/// The number of a LUN, as the host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lun(pub u16);

impl fmt::Display for Lun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for name in ["A", "B", "H"] {
            assert_eq!(name.parse::<ControllerId>().unwrap().to_string(), name);
        }
        for name in ["A0", "B9"] {
            assert_eq!(name.parse::<PortId>().unwrap().to_string(), name);
        }
        let nexus = Nexus { hba: HbaId(3), port: "B1".parse().unwrap() };
        assert_eq!(nexus.to_string(), "hba3:B1");
    }

    #[test]
    fn other_names_are_refused() {
        assert!(["", "a", "I", "AA"].iter().all(|name| name.parse::<ControllerId>().is_err()));
        let error = "A".parse::<PortId>().unwrap_err();
        assert_eq!(error.to_string(), "\"A\" is not a port, `A0` to `H9`");
        assert_eq!(
            (ControllerId::new(7).map(ControllerId::index), ControllerId::new(8)),
            (Some(7), None)
        );
    }
}
