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

/// The configuration of the arrays behind a guest, before the guest starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayConfig {
    /// The arrays, at least one. The letters of their controllers go on from one to the next.
    pub frames: Vec<FrameConfig>,
    /// The ports that are absent at the start.
    pub unplugged: Vec<PortId>,
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

impl ArrayConfig {
    /// Arrays in which nothing is planned, without a bound for their memory. A lost command fails after 30
    /// seconds, as with the usual HBA.
    pub fn new(frames: Vec<FrameConfig>, luns: Vec<LunConfig>, seed: u64) -> Self {
        ArrayConfig {
            frames,
            unplugged: Vec::new(),
            metro: MetroConfig::default(),
            luns,
            faults: Vec::new(),
            command_timeout: Duration::from_secs(30),
            memory: Reservoir::unbounded(),
            canary: None,
            seed,
        }
    }
}

/// The configuration of one array: what is its own, and not that of all arrays behind the guest.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameConfig {
    /// The family: how the array identifies itself, and which command moves a LUN.
    pub personality: PersonalityConfig,
    /// The vendor, product, revision, serial number and name of the array. The name differs from those of
    /// the other arrays.
    pub identity: Identity,
    /// How the target ports present the LUNs.
    pub target: Target,
    /// INQUIRY data and VPD pages captured from another array. They replace the personality's. If
    /// several entries apply, the first is used.
    pub captured: Vec<CapturedPage>,
    /// Answers to REPORT TARGET PORT GROUPS captured from another array. If several entries apply, the first
    /// is used.
    pub captured_groups: Vec<CapturedGroups>,
    /// The controllers, those of the first array beginning with A. All of them start in
    /// [`crate::ControllerState::Online`].
    pub controllers: Vec<ControllerConfig>,
    /// The relative target port identifiers of ports whose identifier is not their place among the array's
    /// ports, from 1.
    pub relative_ports: Vec<(PortId, u16)>,
    /// When the array moves LUNs without a request from a host.
    pub ownership: OwnershipPolicy,
}

impl FrameConfig {
    /// An array that is like its family, and moves no LUN by itself.
    pub fn new(personality: PersonalityConfig, controllers: Vec<ControllerConfig>) -> Self {
        FrameConfig {
            identity: personality.identity(),
            personality,
            target: Target::default(),
            captured: Vec::new(),
            captured_groups: Vec::new(),
            controllers,
            relative_ports: Vec::new(),
            ownership: OwnershipPolicy::default(),
        }
    }
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
