//! The configuration of an array.

use std::{sync::Arc, time::Duration};

use crate::{
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

/// The configuration of an array before the guest starts.
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
    /// The LUNs that are mapped at the start.
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
