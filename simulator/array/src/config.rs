//! The configuration of an array.

use std::{sync::Arc, time::Duration};

use crate::{
    access_state::{AccessState, FarGroups},
    canary::Canary,
    families::PersonalityConfig,
    fault::{FaultRule, OpMatcher},
    identity::Identity,
    ids::PortId,
    inquiry_page::CapturedPage,
    lun_config::LunConfig,
    operation::OPERATIONS,
    ownership::OwnershipPolicy,
    port_groups::CapturedGroups,
    reservoir::Reservoir,
    target::Target,
};

/// The configuration of an array, and of further arrays behind the same guest, before the guest starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayConfig {
    /// The family: how the array identifies itself, and which command moves a LUN.
    pub personality: PersonalityConfig,
    /// The vendor, product, revision, serial number and name of the array.
    pub identity: Identity,
    /// How the target ports present the LUNs.
    pub target: Target,
    /// INQUIRY data and VPD pages captured from another array. They replace the personality's. If
    /// several entries apply, the first is used.
    pub captured: Vec<CapturedPage>,
    /// Answers to REPORT TARGET PORT GROUPS captured from another array. If several entries apply, the first
    /// is used.
    pub captured_groups: Vec<CapturedGroups>,
    /// The controllers, beginning with A. All of them start in [`crate::ControllerState::Online`].
    pub controllers: Vec<ControllerConfig>,
    /// The relative target port identifiers of ports whose identifier is not their place among all
    /// ports, from 1.
    pub relative_ports: Vec<(PortId, u16)>,
    /// When the array moves LUNs without a request from a host.
    pub ownership: OwnershipPolicy,
    /// The ports that are absent at the start.
    pub unplugged: Vec<PortId>,
    /// Further arrays. The names in their identities distinguish arrays; the letters of their
    /// controllers follow those of the arrays before.
    pub others: Vec<OtherArrayConfig>,
    /// How two arrays present a LUN as one ([`LunConfig::partner`]).
    pub metro: MetroConfig,
    /// The LUNs that are mapped at the start, of every array.
    pub luns: Vec<LunConfig>,
    /// The fault rules, in the order in which they are tried.
    pub faults: Vec<FaultRule>,
    /// How long after its arrival a lost command fails.
    pub command_timeout: Duration,
    /// The memory for the contents of the LUNs.
    pub memory: Arc<Reservoir>,
    /// The bug that is planted in the array, if one is.
    pub canary: Option<Canary>,
    /// The seed for LUN names and for all random decisions.
    pub seed: u64,
}

/// The configuration of a further array. The fields are those of [`ArrayConfig`].
#[derive(Debug, Clone, PartialEq)]
pub struct OtherArrayConfig {
    /// See [`ArrayConfig::personality`].
    pub personality: PersonalityConfig,
    /// See [`ArrayConfig::identity`]. The name must differ from those of the other arrays.
    pub identity: Identity,
    /// See [`ArrayConfig::target`].
    pub target: Target,
    /// See [`ArrayConfig::captured`].
    pub captured: Vec<CapturedPage>,
    /// See [`ArrayConfig::captured_groups`].
    pub captured_groups: Vec<CapturedGroups>,
    /// The controllers of this array.
    pub controllers: Vec<ControllerConfig>,
    /// The relative target port identifiers of ports of this array whose identifier is not their place
    /// among its ports, from 1.
    pub relative_ports: Vec<(PortId, u16)>,
    /// See [`ArrayConfig::ownership`].
    pub ownership: OwnershipPolicy,
}

/// How two arrays present a LUN as one (metro cluster).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetroConfig {
    /// Whether the witness is there at the start. While it is, the array that goes on after replication
    /// was lost is one that reaches it.
    pub witness: bool,
    /// Which array goes on if replication is lost while the witness is away.
    pub without_witness: WithoutWitness,
    /// How long it takes to decide that. Meanwhile both arrays are in transition.
    pub arbitration: Duration,
    /// The access state of the target port groups of the array that does not have the owner.
    pub following: AccessState,
    /// The access state of the target port groups of an array that does not serve the LUN.
    pub suspended: AccessState,
    /// How long it takes to copy what an array lacks when replication is back.
    pub resync: Duration,
    /// When an array reports the target port groups of the other one, too.
    pub far_groups: FarGroups,
}

impl Default for MetroConfig {
    fn default() -> Self {
        MetroConfig {
            witness: true,
            without_witness: WithoutWitness::Preferred,
            arbitration: Duration::from_secs(3),
            following: AccessState::NonOptimized,
            suspended: AccessState::Unavailable,
            resync: Duration::from_secs(10),
            far_groups: FarGroups::Connected,
        }
    }
}

/// Which array goes on if replication is lost while the witness is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithoutWitness {
    /// The one with the preferred controller. If it is the one that is gone, nobody does.
    Preferred,
    /// Neither: I/O stops.
    Neither,
    /// Both that are alive: a split brain.
    Both,
}

impl PersonalityConfig {
    /// Whether this array supports at least one of the operations that `ops` matches.
    pub fn supports(&self, ops: OpMatcher) -> bool {
        let supported = OPERATIONS.iter().filter(|op| self.family().supports(op));
        ops == OpMatcher::Any || supported.into_iter().any(|op| ops.covers(Some(op)))
    }
}

/// The configuration of one controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControllerConfig {
    /// The number of ports, 1 to 10.
    pub ports: u8,
}
