//! What a machine occupies on the host.

use std::sync::Weak;

use crate::ram::Ram;

/// Tells what a machine occupies, while the machine itself is somebody else's.
#[derive(Debug, Clone)]
pub struct MemoryGauge {
    pub(super) pid: Option<u32>,
    pub(super) ram: Weak<Ram>,
}

impl MemoryGauge {
    /// What QEMU and the guest's memory occupy on the host, in bytes; `None` once QEMU has ended.
    pub fn bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
        };
        // The guest's memory is counted once, whoever has it mapped.
        let guest = self.ram.upgrade()?.occupied();
        Some((bytes("VmRSS:")? + guest).saturating_sub(bytes("RssShmem:")?))
    }
}
