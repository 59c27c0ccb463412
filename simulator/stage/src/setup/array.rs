//! The array and the HBAs, resolved.

use std::time::Duration;

use sansim_array::{
    ArrayConfig, CapturedPage, ControllerConfig, ControllerId, FaultRule, HbaId, Identity, Lun,
    LunConfig, OwnershipPolicy, PersonalityConfig, PortId,
};

/// The array of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The family of the array, with its settings.
    pub personality: PersonalityConfig,
    /// The identification in INQUIRY data.
    pub identity: Identity,
    /// When the array moves LUNs without a request from a host.
    pub ownership: OwnershipPolicy,
    /// Captured INQUIRY data that replaces the personality's. The first page that matches applies.
    pub captured: Vec<CapturedPage>,
    /// The number of controllers.
    pub controllers: u8,
    /// The number of ports of each controller.
    pub ports_per_controller: u8,
    /// The ports that are absent at the start.
    pub unplugged: Vec<PortId>,
    /// The LUNs, at least one, ordered by number.
    pub luns: Vec<LunConfig>,
}

impl Array {
    /// The LUN with this number.
    pub fn lun(&self, lun: Lun) -> Option<&LunConfig> {
        self.luns.iter().find(|config| config.lun == lun)
    }

    /// The configuration of the array for a run.
    pub(super) fn config(
        &self,
        faults: Vec<FaultRule>,
        command_timeout: Duration,
        seed: u64,
    ) -> ArrayConfig {
        let controller = ControllerConfig { ports: self.ports_per_controller };
        ArrayConfig {
            personality: self.personality.clone(),
            identity: self.identity.clone(),
            captured: self.captured.clone(),
            controllers: vec![controller; usize::from(self.controllers)],
            ownership: self.ownership,
            unplugged: self.unplugged.clone(),
            luns: self.luns.clone(),
            faults,
            command_timeout,
            seed,
        }
    }

    /// The IDs of the controllers, in order.
    pub fn controller_ids(&self) -> impl Iterator<Item = ControllerId> {
        (0..usize::from(self.controllers)).filter_map(ControllerId::new)
    }

    /// The IDs of the ports, controller by controller.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        let ports = self.ports_per_controller;
        self.controller_ids()
            .flat_map(move |controller| (0..ports).map(move |index| PortId { controller, index }))
    }
}

/// One HBA of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hba {
    /// The number of the HBA.
    pub id: HbaId,
    /// The ports visible to the HBA. The index is the virtio target ID.
    pub targets: Vec<PortId>,
    /// The number of request queues.
    pub request_queues: u16,
}
