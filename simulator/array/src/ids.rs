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

/// A set of controllers, displayed as `A and B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Controllers(u8);

impl Controllers {
    /// Every controller that there can be.
    pub const ALL: Controllers = Controllers(u8::MAX);

    /// The controllers with these positions.
    pub fn from_range(range: std::ops::Range<usize>) -> Self {
        range.filter_map(ControllerId::new).collect()
    }

    /// Whether the controller is one of them.
    pub fn has(self, controller: ControllerId) -> bool {
        self.0 & 1 << controller.0 != 0
    }

    /// The controllers of both sets.
    pub fn and(self, others: Controllers) -> Controllers {
        Controllers(self.0 | others.0)
    }

    /// The controllers in order.
    pub fn iter(self) -> impl Iterator<Item = ControllerId> {
        (0..ControllerId::MAX as u8).map(ControllerId).filter(move |it| self.has(*it))
    }
}

/// `A and B`, `A`; `nobody` for none.
impl fmt::Display for Controllers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(|it| it.to_string()).collect();
        match names.split_last() {
            None => f.write_str("nobody"),
            Some((last, [])) => f.write_str(last),
            Some((last, others)) => write!(f, "{} and {last}", others.join(", ")),
        }
    }
}

impl Default for Controllers {
    fn default() -> Self {
        Controllers::ALL
    }
}

impl FromIterator<ControllerId> for Controllers {
    fn from_iter<I: IntoIterator<Item = ControllerId>>(controllers: I) -> Self {
        Controllers(controllers.into_iter().fold(0, |set, it| set | 1 << it.0))
    }
}

/// An array of the SAN, by its place among the arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FrameId(pub(crate) u8);

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

/// The ports of an array that something applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ports {
    /// Every port.
    All,
    /// The ports of one controller.
    Of(ControllerId),
    /// One port.
    One(PortId),
}

/// The nexuses that something applies to: those of an HBA, of a controller, of a port, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NexusPattern {
    /// The HBA; `None` matches every HBA.
    pub hba: Option<HbaId>,
    /// The target ports.
    pub ports: Ports,
}

impl NexusPattern {
    /// Matches every nexus.
    pub const ALL: NexusPattern = NexusPattern { hba: None, ports: Ports::All };

    /// Whether the pattern matches a nexus.
    pub fn matches(self, nexus: Nexus) -> bool {
        let port = match self.ports {
            Ports::All => true,
            Ports::Of(controller) => controller == nexus.port.controller,
            Ports::One(port) => port == nexus.port,
        };
        port && self.hba.is_none_or(|hba| hba == nexus.hba)
    }

    /// The only nexus that the pattern matches, if it names one.
    pub fn exact(self) -> Option<Nexus> {
        match (self.hba, self.ports) {
            (Some(hba), Ports::One(port)) => Some(Nexus { hba, port }),
            _ => None,
        }
    }
}

impl From<Nexus> for NexusPattern {
    fn from(nexus: Nexus) -> Self {
        NexusPattern { hba: Some(nexus.hba), ports: Ports::One(nexus.port) }
    }
}

/// `hba0:A0`, `hba0:A`, `A`, `hba0`; `all paths` for every nexus.
impl fmt::Display for NexusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.ports == Ports::All { "" } else { ":" };
        match self.hba {
            Some(hba) => write!(f, "{hba}{colon}")?,
            None if self.ports == Ports::All => f.write_str("all paths")?,
            None => {}
        }
        match self.ports {
            Ports::All => Ok(()),
            Ports::Of(controller) => controller.fmt(f),
            Ports::One(port) => port.fmt(f),
        }
    }
}

/// The number of a LUN: its own, or the one by which a nexus addresses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lun(pub u16);

impl fmt::Display for Lun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Lun {
    /// The REPORT LUNS well-known logical unit (SAM-5 4.7.7.5.1), which every target has.
    pub const REPORT_LUNS: Lun = Lun(0xc101);
}

/// How a target encodes the numbers of its LUNs (SAM-5 4.7.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// Peripheral device addressing up to 255, flat space addressing above.
    #[default]
    Peripheral,
    /// Flat space addressing for every LUN.
    Flat,
}

impl Addressing {
    /// The encoded number of a LUN.
    pub fn encode(self, lun: Lun) -> EncodedLun {
        match self {
            _ if lun == Lun::REPORT_LUNS => EncodedLun(lun.0),
            Addressing::Peripheral if lun.0 <= 0xff => EncodedLun(lun.0),
            _ => EncodedLun(0x4000 | lun.0),
        }
    }
}

/// The first two bytes of a single level LUN structure (SAM-5 4.7.6), as a number. Linux knows a LUN by
/// it (scsi_common.c:scsilun_to_int): LUN 256 in flat space addressing is 16640.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncodedLun(pub u16);

impl EncodedLun {
    /// The LUN; `None` if the structure is neither peripheral device addressing on bus 0, nor flat
    /// space addressing, nor the REPORT LUNS well-known logical unit.
    pub fn decode(self) -> Option<Lun> {
        match self.0 {
            0..=0xff => Some(Lun(self.0)),
            0x4000..=0x7fff => Some(Lun(self.0 & 0x3fff)),
            _ => Some(Lun(self.0)).filter(|lun| *lun == Lun::REPORT_LUNS),
        }
    }

    /// The LUN field of eight bytes, in the order in which they are sent.
    pub fn field(self) -> [u8; 8] {
        let [high, low] = self.0.to_be_bytes();
        [high, low, 0, 0, 0, 0, 0, 0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luns_are_encoded_as_linux_knows_them() {
        let both = [Addressing::Peripheral, Addressing::Flat];
        let encoded = |lun| both.map(|addressing| addressing.encode(Lun(lun)).0);
        assert_eq!(encoded(0), [0, 0x4000]);
        assert_eq!(encoded(255), [255, 0x40ff]);
        assert_eq!(encoded(0x1234), [0x5234, 0x5234]);
        assert_eq!(encoded(0xc101), [0xc101, 0xc101]);
        for lun in [0, 1, 255, 256, 0x3fff, 0xc101].map(Lun) {
            assert_eq!(both.map(|it| it.encode(lun).decode()), [Some(lun); 2]);
        }
        for other in [0x100, 0x3fff, 0x8000, 0xc102, 0xffff].map(EncodedLun) {
            assert_eq!(other.decode(), None, "{other:?}");
        }
        assert_eq!(EncodedLun(0x5234).field(), [0x52, 0x34, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_pattern_matches_nexuses_by_hba_controller_and_port() {
        let nexus = |hba, port: &str| Nexus { hba: HbaId(hba), port: port.parse().unwrap() };
        let pattern = |hba: Option<u8>, ports| NexusPattern { hba: hba.map(HbaId), ports };
        let (a0, b1) = (nexus(0, "A0"), nexus(1, "B1"));
        let cases = [
            (NexusPattern::ALL, "all paths", [true, true]),
            (pattern(Some(1), Ports::All), "hba1", [false, true]),
            (pattern(None, Ports::Of(ControllerId::A)), "A", [true, false]),
            (pattern(Some(1), Ports::Of(ControllerId::A)), "hba1:A", [false, false]),
            (pattern(None, Ports::One(b1.port)), "B1", [false, true]),
            (a0.into(), "hba0:A0", [true, false]),
        ];
        for (pattern, words, matches) in cases {
            assert_eq!([a0, b1].map(|nexus| pattern.matches(nexus)), matches, "{pattern}");
            assert_eq!(pattern.to_string(), words);
        }
        assert_eq!(NexusPattern::from(b1).exact(), Some(b1));
        assert_eq!(pattern(Some(1), Ports::All).exact(), None);
    }

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
