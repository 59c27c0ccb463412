//! How the target ports of an array present its LUNs.

use std::num::NonZeroU32;

use crate::ids::{Addressing, EncodedLun, Lun};

/// How the target ports of an array present its LUNs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// How REPORT LUNS and events encode LUN numbers.
    pub addressing: Addressing,
    /// What answers at LUN 0 to a nexus that sees no LUN there.
    pub lunz: Lunz,
    /// How many commands a port keeps at a time. One more is answered TASK SET FULL (SAM-5 5.3.1). `None`: as
    /// many as the HBAs send.
    pub queue_limit: Option<NonZeroU32>,
}

/// What answers at LUN 0 to a nexus that sees no LUN there: a LUNZ, so that a host can find the target
/// and ask it for its LUNs (SAM-5 4.7.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lunz {
    /// No device: peripheral qualifier 011b, as at any other LUN that is not mapped.
    #[default]
    NoDevice,
    /// A disk that is not connected: peripheral qualifier 001b, and `LUNZ` for a product.
    NotConnected,
    /// A disk, with `LUNZ` for a product. It refuses every medium access with 05/25/00, so that a host
    /// has a disk without a capacity. Arrays of the CLARiiON line are known for it.
    Disk,
}

impl Lunz {
    /// The product identification of a LUNZ, if it has its own.
    pub(crate) fn product(self) -> Option<&'static str> {
        (self != Lunz::NoDevice).then_some("LUNZ")
    }
}

impl Target {
    /// The encoded number of a LUN.
    pub fn encode(&self, lun: Lun) -> EncodedLun {
        self.addressing.encode(lun)
    }
}
