//! The traits in which such arrays differ.

use crate::sense::Sense;

/// The traits in which RDAC arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdacConfig {
    /// Automatic volume transfer: a medium access through the other controller moves the LUN there.
    pub avt: bool,
    /// I/O shipping: both controllers carry out medium accesses, and ownership is a preference.
    pub ioship: bool,
    /// The highest LUN supported (VPD C2 byte 15). From 32 on Linux sends MODE SELECT(10), below it
    /// MODE SELECT(6).
    pub max_lun: u8,
    /// Whether VPD C9 tells the access states of both controllers, which multipath-tools reads.
    pub access_states: bool,
    /// What a quiescing controller answers.
    pub quiescence: Quiescence,
}

impl Default for RdacConfig {
    fn default() -> Self {
        RdacConfig {
            avt: false,
            ioship: false,
            max_lun: 255,
            access_states: true,
            quiescence: Quiescence::NotReady,
        }
    }
}

/// What a quiescing controller answers: firmware families differ. Linux requeues a command on any
/// of them (rdac:rdac_check_sense).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quiescence {
    /// 02/04/A1, quiescence in progress.
    NotReady,
    /// 02/A1/02, quiescence in progress or achieved.
    Achieved,
    /// 06/8B/02, quiescence in progress.
    UnitAttention,
}

impl Quiescence {
    /// In place of carrying a command out.
    pub(super) fn sense(self) -> Sense {
        match self {
            Quiescence::NotReady => Sense::new(0x02, 0x04, 0xa1),
            Quiescence::Achieved => Sense::new(0x02, 0xa1, 0x02),
            Quiescence::UnitAttention => Sense::new(0x06, 0x8b, 0x02),
        }
    }
}
