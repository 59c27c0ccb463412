//! The traits in which ALUA arrays differ.

use std::time::Duration;

use crate::{access_state::AccessState, ids::PortId};

/// Target port group support: who can change access states. The discriminant is the TPGS field of
/// the standard INQUIRY data (SPC-4 6.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tpgs {
    /// No target port groups. The device handler does not attach (alua:alua_check_tpgs).
    Never = 0,
    /// Implicit: only the array changes access states.
    Implicit = 1,
    /// Explicit: only hosts change access states.
    Explicit = 2,
    /// Implicit and explicit: both the array and hosts change access states.
    Both = 3,
}

/// Which ports form a target port group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Groups {
    /// All ports of a controller. The groups are numbered from [`AluaConfig::first_group`] on.
    Controller,
    /// Each port is a group. The groups are numbered from [`AluaConfig::first_group`] on.
    Port,
    /// These, each with its identifier and its ports, which can be of several controllers.
    Listed(Vec<(u16, Vec<PortId>)>),
}

/// Which target port groups are in transition while a LUN moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All groups of the LUN.
    All,
    /// Only the groups of the controller that the LUN moves to.
    Target,
}

/// How a group reports that it is in transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reporting {
    /// Commands are answered 02/04/0A, except for REPORT TARGET PORT GROUPS, which returns the
    /// states.
    NotReady,
    /// All commands are answered 02/04/0A, including REPORT TARGET PORT GROUPS.
    NotReadyAtAll,
    /// Commands are answered 06/04/0A, as some arrays do in violation of the standard.
    UnitAttention,
}

/// The traits in which ALUA arrays differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AluaConfig {
    /// The TPGS field. It also determines whether REPORT and SET TARGET PORT GROUPS are supported.
    pub tpgs: Tpgs,
    /// The access state of the groups of controllers that do not own the LUN.
    pub non_owner: AccessState,
    /// Which ports form a group.
    pub groups: Groups,
    /// The identifier of the first group, unless they are listed. 0 is a number like any other.
    pub first_group: u16,
    /// Whether REPORT TARGET PORT GROUPS supports the extended header. If not, a request for it is
    /// answered 05/24/00.
    pub extended_header: bool,
    /// The IMPLICIT TRANSITION TIME field of the extended header, in seconds; 0 means not
    /// specified.
    pub transition_time: u8,
    /// How long it takes a LUN to move to another controller.
    pub transition: Duration,
    /// Which groups are in transition during that time.
    pub scope: Scope,
    /// How these groups report the transition.
    pub reporting: Reporting,
    /// Whether the group of the preferred controller has the PREF bit set.
    pub preferred_bit: bool,
    /// Whether a move that the array started fails: after the transition, the LUN is still with its
    /// old owner, and every nexus gets unit attention 06/2A/07.
    pub implicit_fails: bool,
    /// Bits 6 to 4 of the first byte of each descriptor in REPORT TARGET PORT GROUPS. They are
    /// reserved and should be 0.
    pub reserved_bits: u8,
    /// The states that REPORT TARGET PORT GROUPS lists as supported. Empty: every state that the groups
    /// can be in.
    pub supports: Vec<AccessState>,
    /// Whether VPD page 83h contains the designator of the LUN. Linux needs it to tell which LUN a
    /// target port group belongs to (alua:alua_check_vpd).
    pub lun_designator: bool,
    /// Whether there is the unit path report of the CLARiiON line, VPD page C0h, which the checker of
    /// multipath-tools for `DGC` asks for.
    pub unit_path_report: bool,
}

impl Default for AluaConfig {
    fn default() -> Self {
        AluaConfig {
            tpgs: Tpgs::Both,
            non_owner: AccessState::NonOptimized,
            groups: Groups::Controller,
            first_group: 1,
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
            unit_path_report: false,
        }
    }
}
