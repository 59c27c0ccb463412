//! The configuration of a machine.

use std::{fs, path::PathBuf};

use super::{Services, TimeMode};
use crate::{Accel, Image, LabError, Result};

/// PCI device number of the first HBA on the root bus.
const FIRST_HBA: usize = 0x10;
/// Device 0x1f of a q35 machine is its ISA bridge.
const MOST_HBAS: usize = 15;
/// Longest path of a work directory, in bytes. A Unix socket's path has at most 107 bytes (unix(7)), and
/// the longest socket name is `register.sock`.
const LONGEST_WORK_DIR: usize = 93;

/// A vhost-user-scsi backend that is already listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HbaSocket {
    /// The Unix socket. The backend accepts one connection from QEMU.
    pub path: PathBuf,
    /// Number of request queues of the device.
    pub request_queues: u16,
}

/// The configuration of a machine.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// Kernel, initramfs and userland.
    pub image: Image,
    /// How guest code is executed: KVM or TCG.
    pub accel: Accel,
    /// Real or skipped time.
    pub time: TimeMode,
    /// The guest's memory in MiB, from 128 to 1,048,576 (1 TiB).
    pub memory_mib: u32,
    /// Virtual processors, from 1 to 64; must be 1 in exact time.
    pub cpus: u8,
    /// The daemons to start at boot.
    pub services: Services,
    /// Whether the guest's executed module code is [marked](crate::Machine::marks). TCG only.
    pub marks: bool,
    /// The HBAs, at most 15; HBA n has the PCI address [`hba_address`]`(n)`.
    pub hbas: Vec<HbaSocket>,
    /// Directory for sockets: private to this machine, with a short path (a socket's path has at most 107
    /// bytes).
    pub work_dir: PathBuf,
    /// The file for the output of the serial console.
    pub console: PathBuf,
}

/// How a machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// By booting the kernel.
    Cold,
    /// From a guest that was saved before any disk was scanned.
    Template,
    /// From a guest that was saved in the middle of a story.
    Checkpoint,
}

impl std::fmt::Display for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Boot::Cold => "cold",
            Boot::Template => "template",
            Boot::Checkpoint => "checkpoint",
        })
    }
}

/// Memory for the kernel itself, in MiB.
const KERNEL_MIB: u64 = 64;

/// PCI address of HBA n (from 0) in the guest, for instance `0000:00:10.0`.
pub fn hba_address(index: usize) -> String {
    format!("0000:00:{:02x}.0", hba_slot(index))
}

/// PCI device number of HBA n (from 0 to 14) on the root bus.
pub fn hba_slot(index: usize) -> u8 {
    (FIRST_HBA + index) as u8
}

impl MachineConfig {
    /// Checks the limits that QEMU would report less clearly.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |why: String| Err(LabError::BadMachine { why });
        if self.time == TimeMode::Skip && self.accel == Accel::Kvm {
            return Err(LabError::SkipNeedsTcg);
        }
        if self.marks && self.accel == Accel::Kvm {
            return Err(LabError::MarksNeedTcg);
        }
        // While the kernel unpacks the initramfs, both copies are in memory, and its files (on a tmpfs) get
        // only half of the rest.
        let initramfs = fs::metadata(&self.image.initramfs).map_or(0, |meta| meta.len() >> 20);
        let needed = 3 * initramfs + KERNEL_MIB;
        if u64::from(self.memory_mib) < needed {
            return wrong(format!(
                "its initramfs of {initramfs} MiB needs a guest with {needed} MiB (--set \
                 guest.memory=\"{needed}MiB\")"
            ));
        }
        if self.time == TimeMode::Skip && self.cpus > 1 {
            return Err(LabError::SkipNeedsOneProcessor);
        }
        if self.hbas.len() > MOST_HBAS {
            return wrong(format!("it has {} HBAs; {MOST_HBAS} are possible", self.hbas.len()));
        }
        if self.hbas.iter().any(|hba| !(1..=64).contains(&hba.request_queues)) {
            return wrong("an HBA has from 1 to 64 request queues".into());
        }
        if !(1..=64).contains(&self.cpus) {
            return wrong("a guest has from 1 to 64 processors".into());
        }
        if !(128..=1 << 20).contains(&self.memory_mib) {
            return wrong("a guest has from 128 MiB to 1 TiB of memory".into());
        }
        if self.work_dir.as_os_str().len() > LONGEST_WORK_DIR {
            return wrong(format!(
                "the path of {} is too long for sockets: set $XDG_RUNTIME_DIR or $TMPDIR to a shorter one",
                self.work_dir.display()
            ));
        }
        Ok(())
    }
}

/// A machine for tests: `hbas` HBAs with one request queue each, and files that need not exist.
#[cfg(test)]
pub(crate) fn sample(hbas: usize) -> MachineConfig {
    let image = Image {
        name: "bookworm".into(),
        release: "6.1".into(),
        kernel: "/c/vmlinux".into(),
        initramfs: "/c/initramfs".into(),
        userland: "/c/userland".into(),
        key: "k".into(),
        left_out: None,
        programs: None,
        has_initrd: false,
    };
    let hba = |index| HbaSocket { path: format!("/run/h{index}").into(), request_queues: 1 };
    MachineConfig {
        image,
        accel: Accel::Tcg,
        time: TimeMode::Real,
        memory_mib: 256,
        cpus: 1,
        services: Services::None,
        marks: false,
        hbas: (0..hbas).map(hba).collect(),
        work_dir: "/run".into(),
        console: "/out/console.log".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{sample as config, *};

    #[test]
    fn hbas_have_addresses_of_their_own_up_to_the_last_free_one() {
        assert_eq!(hba_address(0), "0000:00:10.0");
        assert_eq!(hba_address(14), "0000:00:1e.0");
        assert!(config(15).check().is_ok());
        let error = config(16).check().unwrap_err().to_string();
        assert_eq!(error, "this machine cannot be: it has 16 HBAs; 15 are possible");
    }

    #[test]
    fn what_qemu_would_refuse_is_refused() {
        let long = PathBuf::from("/x".repeat(60));
        let hba = HbaSocket { path: "s".into(), request_queues: 0 };
        assert!(MachineConfig { cpus: 0, ..config(1) }.check().is_err());
        let skip = MachineConfig { time: TimeMode::Skip, ..config(1) };
        assert!(skip.check().is_ok());
        assert!(MachineConfig { cpus: 2, ..skip.clone() }.check().is_err());
        assert!(MachineConfig { accel: Accel::Kvm, ..skip }.check().is_err());
        assert!(MachineConfig { accel: Accel::Kvm, marks: true, ..config(1) }.check().is_err());
        assert!(MachineConfig { memory_mib: 16, ..config(1) }.check().is_err());
        assert!(MachineConfig { hbas: vec![hba], ..config(1) }.check().is_err());
        assert!(MachineConfig { work_dir: long, ..config(1) }.check().is_err());
    }
}
