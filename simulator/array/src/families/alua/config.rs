//! The traits in which such arrays differ.

use std::time::Duration;

use crate::access_state::AccessState;

/// Target port group support: who changes access states. The number is the TPGS field of the standard
/// INQUIRY data (SPC-4 6.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tpgs {
    /// Nobody, and no handler is attached (alua:alua_check_tpgs).
    Never = 0,
    /// The array alone.
    Implicit = 1,
    /// Hosts alone.
    Explicit = 2,
    /// Both.
    Both = 3,
}

/// What forms a target port group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Groups {
    /// The ports of a controller.
    Controller,
    /// Each port for itself.
    Port,
}

/// Which groups are in transition while a LUN is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of the controller that it goes to.
    Target,
}

/// How a transition is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reporting {
    /// Commands are answered 02/04/0A; REPORT TARGET PORT GROUPS is answered.
    NotReady,
    /// So is REPORT TARGET PORT GROUPS.
    NotReadyAtAll,
    /// Commands are answered 06/04/0A, as some arrays do against the standard.
    UnitAttention,
}

/// The traits in which such arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AluaConfig {
    /// What the TPGS field says, and which of the port groups' commands are carried out.
    pub tpgs: Tpgs,
    /// The state of the groups of a controller that does not own a LUN.
    pub non_owner: AccessState,
    /// What forms a group.
    pub groups: Groups,
    /// Whether REPORT TARGET PORT GROUPS knows the extended header; otherwise it is refused with
    /// 05/24/00.
    pub extended_header: bool,
    /// The implicit transition time in the extended header, in seconds; 0 says nothing.
    pub transition_time: u8,
    /// How long a LUN is on its way from one controller to another.
    pub transition: Duration,
    /// Which groups are in transition meanwhile.
    pub scope: Scope,
    /// How they say so.
    pub reporting: Reporting,
    /// Whether the group that should be optimized says so with the PREF bit.
    pub preferred_bit: bool,
    /// Whether a LUN that the array itself sends to another controller stays where it is once the
    /// transition is over. Everybody is told by 06/2A/07.
    pub implicit_fails: bool,
    /// Bits 6 to 4 of each group's first byte in REPORT TARGET PORT GROUPS, which are reserved and
    /// should be 0.
    pub reserved_bits: u8,
    /// The states that REPORT TARGET PORT GROUPS says the groups support; empty for those that they can be
    /// in.
    pub supports: Vec<AccessState>,
    /// Whether VPD page 83h names the LUN, which Linux needs to tell the groups of one LUN from those
    /// of another (alua:alua_check_vpd).
    pub lun_designator: bool,
}

impl Default for AluaConfig {
    fn default() -> Self {
        AluaConfig {
            tpgs: Tpgs::Both,
            non_owner: AccessState::NonOptimized,
            groups: Groups::Controller,
            extended_header: true,
            transition_time: 0,
            transition: Duration::ZERO,
            scope: Scope::All,
            reporting: Reporting::NotReady,
            preferred_bit: true,
            implicit_fails: false,
            reserved_bits: 0,
            supports: Vec::new(),
            lun_designator: true,
        }
    }
}
