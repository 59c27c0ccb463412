//! The configuration of a LUN.

use crate::ids::{ControllerId, Controllers, Lun, Nexus, NexusPattern};

/// The configuration of a LUN. A new LUN reads as zeros, and uses memory only for what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LunConfig {
    /// The LUN's own number: the one by which every nexus addresses it, unless `mapping` says
    /// otherwise.
    pub lun: Lun,
    /// The size in bytes: a multiple of the block length, at most [`LunConfig::MAX_BYTES`].
    pub bytes: u64,
    /// The logical block length in bytes: 512 or 4096.
    pub block_bytes: u32,
    /// The controller that owns the LUN at the start.
    pub owner: ControllerId,
    /// The controller that should own the LUN in normal operation.
    pub preferred: ControllerId,
    /// The controller of another array that serves the LUN, too: the two arrays present it as one. It
    /// owns the LUN while its array serves it alone.
    pub partner: Option<ControllerId>,
    /// The user-assigned label: at most 30 UTF-16 code units.
    pub label: String,
    /// Whether the LUN is write-protected.
    pub read_only: bool,
    /// The world-wide name, an NAA type 6 designator; `None` for a name that the array makes.
    pub name: Option<[u8; 16]>,
    /// Which nexuses see the LUN.
    pub mapping: Mapping,
}

/// Which nexuses see a LUN, and under which number (LUN masking and mapping).
///
/// The default shows the LUN to every nexus under its own number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The controllers of the arrays that present the LUN. No other shows it.
    within: Controllers,
    /// The last entry that matches a nexus applies. If there are entries and none matches, the LUN is
    /// masked.
    entries: Vec<(NexusPattern, Shown)>,
}

/// Whether a nexus sees a LUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// The LUN is masked: to the nexus, nothing is mapped there.
    Masked,
    /// The nexus sees it under its own number.
    Own,
    /// The nexus sees it under this number.
    As(Lun),
}

impl Mapping {
    /// A LUN that is masked except where an entry shows it.
    pub fn only(entries: Vec<(NexusPattern, Shown)>) -> Self {
        let entries_of_all = vec![(NexusPattern::ALL, Shown::Masked)];
        let mut mapping = Mapping { entries: entries_of_all, ..Mapping::default() };
        entries.into_iter().for_each(|(to, shown)| mapping.show(to, shown));
        mapping
    }

    /// The mapping of a LUN that only arrays with these controllers present.
    pub fn within(self, within: Controllers) -> Self {
        Mapping { within, ..self }
    }

    /// The controllers of the arrays that present the LUN.
    pub fn presenters(&self) -> Controllers {
        self.within
    }

    /// Whether every nexus sees the LUN under its own number.
    pub(crate) fn is_plain(&self) -> bool {
        self.entries.is_empty() && self.within == Controllers::ALL
    }

    /// The entries that show the LUN somewhere or mask it; empty if every nexus of the arrays that present
    /// it sees it under its own number.
    pub fn entries(&self) -> &[(NexusPattern, Shown)] {
        &self.entries
    }

    /// Masks the LUN for the nexuses that the pattern matches, or shows it to them.
    pub fn show(&mut self, to: NexusPattern, shown: Shown) {
        if self.entries.is_empty() {
            self.entries.push((NexusPattern::ALL, Shown::Own));
        }
        // An entry that is replaced has no effect any more: the length is bounded by the patterns.
        self.entries.retain(|(other, _)| *other != to && to != NexusPattern::ALL);
        self.entries.push((to, shown));
        if self.entries == [(NexusPattern::ALL, Shown::Own)] {
            self.entries.clear();
        }
    }

    /// The number by which a nexus addresses the LUN with this own number; `None` if the LUN is masked.
    pub fn number(&self, own: Lun, nexus: Nexus) -> Option<Lun> {
        if !self.within.has(nexus.port.controller) {
            return None;
        }
        let last = self.entries.iter().rev().find(|(to, _)| to.matches(nexus));
        match last.map(|(_, shown)| *shown) {
            None if self.entries.is_empty() => Some(own),
            None | Some(Shown::Masked) => None,
            Some(Shown::Own) => Some(own),
            Some(Shown::As(lun)) => Some(lun),
        }
    }
}

impl LunConfig {
    /// The number by which a nexus addresses the LUN; `None` if the LUN is masked for it.
    pub fn number(&self, nexus: Nexus) -> Option<Lun> {
        self.mapping.number(self.lun, nexus)
    }

    /// The maximum size of a LUN in bytes: 64 TiB.
    pub const MAX_BYTES: u64 = 64 << 40;
    /// The maximum number of LUNs in an array.
    pub const MAX_COUNT: usize = 256;
    /// The highest LUN number: the maximum of flat space addressing (SAM-5 4.7.7.4).
    pub const MAX_LUN: u16 = 0x3fff;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{HbaId, PortId, Ports};

    fn nexus(hba: u8, port: &str) -> Nexus {
        Nexus { hba: HbaId(hba), port: port.parse().unwrap() }
    }

    fn port(port: PortId) -> NexusPattern {
        NexusPattern { hba: None, ports: Ports::One(port) }
    }

    #[test]
    fn a_lun_is_seen_by_all_until_something_else_is_said() {
        let mut mapping = Mapping::default();
        let (a0, b0) = (nexus(0, "A0"), nexus(1, "B0"));
        assert_eq!(mapping.number(Lun(3), a0), Some(Lun(3)));
        mapping.show(port(b0.port), Shown::Masked);
        let seen = |mapping: &Mapping| [a0, b0].map(|nexus| mapping.number(Lun(3), nexus));
        assert_eq!(seen(&mapping), [Some(Lun(3)), None]);
        mapping.show(port(b0.port), Shown::As(Lun(9)));
        assert_eq!(seen(&mapping), [Some(Lun(3)), Some(Lun(9))]);
        assert_eq!(mapping.entries().len(), 2);
        mapping.show(NexusPattern::ALL, Shown::Own);
        assert_eq!(mapping, Mapping::default());
    }

    #[test]
    fn no_entry_shows_a_lun_at_an_array_that_does_not_present_it() {
        let (a0, c0) = (nexus(0, "A0"), nexus(0, "C0"));
        let mut mapping = Mapping::default().within(Controllers::from_range(2..4));
        let seen = |mapping: &Mapping| [a0, c0].map(|nexus| mapping.number(Lun(3), nexus));
        assert_eq!(seen(&mapping), [None, Some(Lun(3))]);
        mapping.show(NexusPattern::ALL, Shown::As(Lun(0)));
        assert_eq!(seen(&mapping), [None, Some(Lun(0))]);
    }

    #[test]
    fn a_mapping_of_some_masks_all_others() {
        let (a0, b0) = (nexus(0, "A0"), nexus(1, "B0"));
        let mapping = Mapping::only(vec![(port(a0.port), Shown::Own)]);
        assert_eq!([a0, b0].map(|nexus| mapping.number(Lun(0), nexus)), [Some(Lun(0)), None]);
        let none = Mapping::only(Vec::new());
        assert_eq!([a0, b0].map(|nexus| none.number(Lun(0), nexus)), [None, None]);
    }
}
