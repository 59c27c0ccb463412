//! What an array is made of.

use std::time::Duration;

use crate::{
    families::PersonalityConfig,
    fault::{FaultRule, OpMatcher},
    identity::Identity,
    ids::PortId,
    inquiry_page::CapturedPage,
    lun_config::LunConfig,
    operation::OPERATIONS,
    ownership::OwnershipPolicy,
};

/// An array, as it is before the guest starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayConfig {
    /// How this family of arrays identifies itself and is told to move a LUN.
    pub personality: PersonalityConfig,
    /// What it calls itself.
    pub identity: Identity,
    /// INQUIRY data that it tells as it was captured from another array. The first that fits holds.
    pub captured: Vec<CapturedPage>,
    /// Its controllers, from A on; all of them start [`crate::ControllerState::Online`].
    pub controllers: Vec<ControllerConfig>,
    /// What it does about ownership by itself.
    pub ownership: OwnershipPolicy,
    /// The ports that are not there at first.
    pub unplugged: Vec<PortId>,
    /// The LUNs that are mapped at first.
    pub luns: Vec<LunConfig>,
    /// The fault rules, in the order in which they are tried.
    pub faults: Vec<FaultRule>,
    /// When an initiator gives up on a lost command, counted from the command's arrival.
    pub command_timeout: Duration,
    /// Where everything comes from that is to look random.
    pub seed: u64,
}

impl PersonalityConfig {
    /// Whether such an array carries out any of these operations.
    pub fn supports(&self, ops: OpMatcher) -> bool {
        let supported = OPERATIONS.iter().filter(|op| self.family().supports(op));
        ops == OpMatcher::Any || supported.into_iter().any(|op| ops.covers(Some(op)))
    }
}

/// A controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControllerConfig {
    /// How many ports it has: 1 to 10.
    pub ports: u8,
}
