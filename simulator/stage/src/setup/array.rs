//! The array and the HBAs, resolved.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use sansim_array::{
    ArrayConfig, Canary, CapturedGroups, CapturedPage, ControllerConfig, ControllerId, FaultRule,
    FrameConfig, HbaId, Identity, Lun, LunConfig, MetroConfig, OwnershipPolicy, PersonalityConfig,
    PortId, Reservoir, Target, WhenFull,
};
use sansim_lab::available_memory;

/// An array of a scenario.
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
    /// Captured answers to REPORT TARGET PORT GROUPS. The first one that matches applies.
    pub captured_groups: Vec<CapturedGroups>,
    /// The relative target port identifiers of the ports that have one of their own.
    pub relative_ports: Vec<(PortId, u16)>,
    /// The place of its first controller among those of all arrays.
    pub first_controller: u8,
    /// The number of controllers.
    pub controllers: u8,
    /// The number of ports of each controller.
    pub ports_per_controller: u8,
    /// The ports that are absent at the start.
    pub unplugged: Vec<PortId>,
    /// How the target ports present the LUNs.
    pub target: Target,
    /// The LUNs that it owns at the start, ordered by number. The arrays have at least one.
    pub luns: Vec<LunConfig>,
    /// Of the first array: the memory for all that is written to the LUNs of all arrays; `None` for a part of what
    /// the host has.
    pub memory: Option<Memory>,
    /// The bug that is planted in the array, if one is.
    pub canary: Option<Canary>,
}

/// The memory for the contents of LUNs, as a scenario bounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// In bytes.
    pub bytes: u64,
    /// What happens to a write beyond it.
    pub when_full: WhenFull,
    /// When this part of it is used, in percent, hosts are told; `None` for never.
    pub threshold: Option<u8>,
}

impl Memory {
    fn reservoir(&self) -> Arc<Reservoir> {
        let part = |percent: u8| (u128::from(self.bytes) * u128::from(percent) / 100) as u64;
        Reservoir::with_threshold(self.bytes, self.when_full, self.threshold.map(part))
    }
}

/// The least that a scenario gets which names no bound.
const LEAST: u64 = 64 << 20;

/// The memory of all arrays for which no bound is named: half of what the host had when the first of them was
/// started. How much that is must not be part of a story, so a run that needs more ends with an error.
fn hosts_part() -> Arc<Reservoir> {
    static PART: OnceLock<Arc<Reservoir>> = OnceLock::new();
    let part = || {
        let bytes = available_memory().map_or(u64::MAX, |bytes| (bytes / 2).max(LEAST));
        Reservoir::new(bytes, WhenFull::End)
    };
    Arc::clone(PART.get_or_init(part))
}

/// The configuration of the arrays for a run. There is at least one.
pub(super) fn config(
    arrays: &[Array],
    metro: MetroConfig,
    faults: Vec<FaultRule>,
    command_timeout: Duration,
    seed: u64,
) -> ArrayConfig {
    let luns = arrays.iter().flat_map(|array| &array.luns).cloned();
    let config =
        ArrayConfig::new(arrays.iter().map(Array::as_frame).collect(), luns.collect(), seed);
    ArrayConfig {
        metro,
        unplugged: arrays.iter().flat_map(|array| array.unplugged.iter().copied()).collect(),
        faults,
        command_timeout,
        canary: arrays.iter().find_map(|array| array.canary),
        memory: match arrays[0].memory {
            Some(memory) => memory.reservoir(),
            None => hosts_part(),
        },
        ..config
    }
}

impl Array {
    /// The LUN with this number.
    pub fn lun(&self, lun: Lun) -> Option<&LunConfig> {
        self.luns.iter().find(|config| config.lun == lun)
    }

    /// The configuration of what is the array's own.
    fn as_frame(&self) -> FrameConfig {
        let controller = ControllerConfig { ports: self.ports_per_controller };
        FrameConfig {
            personality: self.personality.clone(),
            identity: self.identity.clone(),
            target: self.target,
            captured: self.captured.clone(),
            captured_groups: self.captured_groups.clone(),
            controllers: vec![controller; usize::from(self.controllers)],
            relative_ports: self.relative_ports.clone(),
            ownership: self.ownership,
        }
    }

    /// The IDs of the controllers, in order.
    pub fn controller_ids(&self) -> impl Iterator<Item = ControllerId> + use<> {
        let first = usize::from(self.first_controller);
        (first..first + usize::from(self.controllers)).filter_map(ControllerId::new)
    }

    /// The IDs of the ports, controller by controller.
    pub fn ports(&self) -> impl Iterator<Item = PortId> + use<> {
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
