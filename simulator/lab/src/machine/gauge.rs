//! Host memory of a machine.

use std::sync::Weak;

use crate::ram::Ram;

/// Reports the host memory of a machine without owning the machine.
#[derive(Debug, Clone)]
pub struct MemoryGauge {
    pub(super) pid: Option<u32>,
    pub(super) ram: Weak<Ram>,
}

impl MemoryGauge {
    /// Host memory of QEMU and the guest, in bytes; `None` once QEMU has ended.
    pub fn bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
        };
        // The guest's memory is counted once, although several processes map it: RssShmem is subtracted.
        let guest = self.ram.upgrade()?.occupied();
        Some((bytes("VmRSS:")? + guest).saturating_sub(bytes("RssShmem:")?))
    }
}
