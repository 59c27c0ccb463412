//! `[hba]`: the HBAs of the guest.

use sansim_array::PortId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;
use crate::lang::value::{At, TimeSpan};

/// The ports that one HBA sees.
pub type Targets = At<Vec<Name<PortId>>>;

/// The HBAs of the guest.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Hba {
    /// How many, 1 to 8. Default: 2.
    pub count: Option<At<u64>>,
    /// The ports that each HBA sees, a list of ports for every HBA. Default: HBA n sees port n of
    /// every controller, going round when there are more HBAs than ports.
    pub targets: Option<At<Vec<Targets>>>,
    /// Request queues of each HBA, 1 to 16. Default: one per processor.
    pub request_queues: Option<At<u64>>,
    /// How long a command that the array loses stays away before it fails. Default: "30s".
    pub command_timeout: Option<Name<TimeSpan>>,
}
