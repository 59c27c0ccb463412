//! The traits in which RDAC arrays differ.

use crate::sense::Sense;

/// The traits in which RDAC arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdacConfig {
    /// Automatic volume transfer (AVT): a medium access through the other controller moves the LUN
    /// to it.
    pub avt: bool,
    /// I/O shipping: both controllers serve medium accesses, and ownership is only a preference.
    pub ioship: bool,
    /// The highest supported LUN (VPD page C2h, byte 15). From 32 on, Linux sends MODE SELECT(10),
    /// below that MODE SELECT(6).
    pub max_lun: u8,
    /// Whether VPD page C9h contains the access states of both controllers, which multipath-tools
    /// reads.
    pub access_states: bool,
    /// How a quiescing controller answers.
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

/// How a quiescing controller answers. This differs between firmware families. Linux requeues the
/// command in every case (rdac:rdac_check_sense).
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
    /// The sense for a command that a quiescing controller does not carry out.
    pub(super) fn sense(self) -> Sense {
        match self {
            Quiescence::NotReady => Sense::new(0x02, 0x04, 0xa1),
            Quiescence::Achieved => Sense::new(0x02, 0xa1, 0x02),
            Quiescence::UnitAttention => Sense::new(0x06, 0x8b, 0x02),
        }
    }
}
