//! Finds the registers of PCI devices on the root bus, through sysfs.

use std::fs;

use crate::fail::{Doing, Failure, Result};

/// Capability IDs (PCI Local Bus Specification 3.0, appendix H).
const VENDOR_SPECIFIC: u8 = 0x09;
const MSI_X: u8 = 0x11;
/// Offset of the capabilities pointer.
const CAPABILITIES: usize = 0x34;

/// Values of `cfg_type` (virtio 1.2, 4.1.4).
pub(super) const COMMON: u8 = 1;
pub(super) const DEVICE: u8 = 4;

/// A location in a device's registers: BAR and offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BarOffset {
    pub(super) bar: u8,
    pub(super) offset: u64,
}

/// The sysfs directory of device `slot`, function 0, on bus 0.
pub(super) fn directory(slot: u8) -> String {
    format!("/sys/bus/pci/devices/0000:00:{slot:02x}.0")
}

pub(super) struct Configuration {
    slot: u8,
    bytes: Vec<u8>,
}

impl Configuration {
    /// Reads the configuration space from sysfs.
    pub(super) fn read(slot: u8) -> Result<Configuration> {
        let path = format!("{}/config", directory(slot));
        let bytes = fs::read(&path).doing(|| format!("read {path}"))?;
        Ok(Configuration { slot, bytes })
    }

    /// Finds a virtio structure by its `cfg_type`.
    pub(super) fn virtio(&self, kind: u8) -> Result<BarOffset> {
        // struct virtio_pci_cap: cfg_type at 3, bar at 4, offset at 8.
        let found = self.capabilities(VENDOR_SPECIFIC).find(|at| self.byte(at + 3) == kind);
        let at = found.ok_or_else(|| self.lacks("structure of virtio"))?;
        Ok(BarOffset { bar: self.byte(at + 4), offset: u64::from(self.word(at + 8)) })
    }

    /// Location of the MSI-X table, and its number of entries (PCI 3.0, 6.8.2.3 and 6.8.2.4).
    pub(super) fn vector_table(&self) -> Result<(BarOffset, u16)> {
        let at = self.capabilities(MSI_X).next().ok_or_else(|| self.lacks("table of MSI-X"))?;
        let (control, word) = (self.word(at) >> 16, self.word(at + 4));
        let place = BarOffset { bar: (word & 7) as u8, offset: u64::from(word & !7) };
        Ok((place, (control & 0x7ff) as u16 + 1))
    }

    fn lacks(&self, what: &str) -> Failure {
        Failure::new(format!("the device {} has no {what}", directory(self.slot)))
    }

    /// Offsets of the capabilities with this ID, in list order.
    fn capabilities(&self, id: u8) -> impl Iterator<Item = usize> {
        let next = |at: &usize| Some(usize::from(self.byte(at + 1))).filter(|at| *at != 0);
        let first = Some(usize::from(self.byte(CAPABILITIES))).filter(|at| *at != 0);
        // A corrupt list may contain a loop, so stop after 64 entries.
        let all = std::iter::successors(first, next).take(64);
        all.filter(move |at| self.byte(*at) == id)
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|n| self.byte(at + n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration space with two virtio structures and an MSI-X capability between them.
    fn configuration() -> Configuration {
        let mut bytes = vec![0; 256];
        bytes[CAPABILITIES] = 0x40;
        bytes[0x40..0x50]
            .copy_from_slice(&[9, 0x60, 16, COMMON, 4, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]);
        bytes[0x60..0x68].copy_from_slice(&[0x11, 0x80, 3, 0, 0x01, 0x08, 0, 0]);
        bytes[0x80..0x90]
            .copy_from_slice(&[9, 0, 16, DEVICE, 4, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]);
        Configuration { slot: 4, bytes }
    }

    #[test]
    fn structures_are_found_by_their_kind() {
        let configuration = configuration();
        assert_eq!(configuration.virtio(COMMON).unwrap(), BarOffset { bar: 4, offset: 0x1000 });
        assert_eq!(configuration.virtio(DEVICE).unwrap(), BarOffset { bar: 4, offset: 0x2000 });
        let table = (BarOffset { bar: 1, offset: 0x800 }, 4);
        assert_eq!(configuration.vector_table().unwrap(), table);
        let error = configuration.virtio(9).unwrap_err().to_string();
        assert_eq!(
            error,
            "the device /sys/bus/pci/devices/0000:00:04.0 has no structure of virtio"
        );
    }

    #[test]
    fn a_circle_of_capabilities_has_an_end() {
        let mut circle = configuration();
        circle.bytes[0x81] = 0x40;
        assert!(circle.virtio(9).is_err());
        circle.bytes.truncate(0x20);
        assert!(circle.vector_table().is_err());
    }
}
