//! The array and the HBAs, resolved.

use std::time::Duration;

use sansim_array::{
    ArrayConfig, CapturedPage, ControllerConfig, ControllerId, FaultRule, HbaId, Identity, Lun,
    LunConfig, OwnershipPolicy, PersonalityConfig, PortId,
};

/// The array of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// How it identifies itself and is told to move a LUN.
    pub personality: PersonalityConfig,
    /// What it writes into INQUIRY data.
    pub identity: Identity,
    /// What it does about ownership by itself.
    pub ownership: OwnershipPolicy,
    /// INQUIRY data that it tells as it was captured. The first that fits holds.
    pub captured: Vec<CapturedPage>,
    /// How many controllers it has.
    pub controllers: u8,
    /// How many ports each of them has.
    pub ports_per_controller: u8,
    /// The ports that are not there at first.
    pub unplugged: Vec<PortId>,
    /// Its LUNs, at least one, by number.
    pub luns: Vec<LunConfig>,
}

impl Array {
    /// The LUN with this number.
    pub fn lun(&self, lun: Lun) -> Option<&LunConfig> {
        self.luns.iter().find(|config| config.lun == lun)
    }

    /// What the array is made with.
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

    /// Every controller.
    pub fn controller_ids(&self) -> impl Iterator<Item = ControllerId> {
        (0..usize::from(self.controllers)).filter_map(ControllerId::new)
    }

    /// Every port of every controller.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        let ports = self.ports_per_controller;
        self.controller_ids()
            .flat_map(move |controller| (0..ports).map(move |index| PortId { controller, index }))
    }
}

/// One HBA of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hba {
    /// Its number.
    pub id: HbaId,
    /// The ports it sees; the virtio target id is the index.
    pub targets: Vec<PortId>,
    /// How many request queues it offers.
    pub request_queues: u16,
}
