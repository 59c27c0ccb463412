//! Patterns of nexuses as keys of a table: `hba`, `controller` and `port`.

use sansim_array::{ControllerId, HbaId, NexusPattern, PortId, Ports};

use crate::{
    form::{Name, name},
    value::At,
};

/// The keys of a pattern of nexuses.
pub(crate) struct To {
    pub(crate) hba: Option<At<u64>>,
    pub(crate) controller: Option<Name<ControllerId>>,
    pub(crate) port: Option<Name<PortId>>,
}

impl To {
    /// The keys that would be read as this pattern.
    pub(crate) fn of(to: NexusPattern) -> Self {
        let hba = to.hba.map(|hba: HbaId| hba.into());
        match to.ports {
            Ports::All => To { hba, controller: None, port: None },
            Ports::Of(controller) => To { hba, controller: Some(name(controller)), port: None },
            Ports::One(port) => To { hba, controller: None, port: Some(name(port)) },
        }
    }
}
