//! HBAs, targets and disks, through sysfs only.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sansim_protocol::{Disk, PathAddress, TargetAddress};

use crate::fail::{Doing, Failure, Result};
use crate::modprobe::Modules;

/// Polling interval of sysfs.
const LOOK: Duration = Duration::from_millis(10);

/// The `scan` parameter of scsi_mod: `manual` keeps the kernel from scanning by itself.
const SCAN_TYPE: &str = "/sys/module/scsi_mod/parameters/scan";

/// Scans exactly these targets one after the other, and waits until `expect` disks in total are usable, as
/// long as `patience` lasts. Returns the disks, and what is missing, in words.
///
/// With `scsi_mod.scan=manual` the kernel scans only what is requested here
/// (`scsi_scan.c:scsi_scan_host_selected`), which saves 256 probes per HBA. After the scan the parameter is
/// set to `sync`: otherwise the kernel would not look for a LUN 0 that an HBA's hotplug event announces
/// (`virtio_scsi.c:virtscsi_handle_transport_reset`, `scsi_scan.c:scsi_scan_target`).
pub(crate) fn scan(
    targets: &[TargetAddress],
    expect: usize,
    patience: Duration,
) -> Result<(Vec<Disk>, Option<String>)> {
    let give_up = Instant::now() + patience;
    let modules = Modules::open()?;
    // Built-in modules cannot be loaded. If a module is really missing, no HBA appears below.
    let trouble = ["virtio_scsi", "sd_mod"].iter().find_map(|name| modules.load(name).err());
    let trouble = trouble.map(|error| format!(" ({error})")).unwrap_or_default();
    for target in targets {
        let host = wait_for(give_up, || host(&target.hba)).ok_or_else(|| {
            Failure::new(format!("there is no SCSI host at PCI address {}{trouble}", target.hba))
        })?;
        let path = format!("/sys/class/scsi_host/{host}/scan");
        fs::write(&path, format!("0 {} -", target.target))
            .doing(|| format!("scan target {} of HBA {} ({path})", target.target, target.hba))?;
    }
    fs::write(SCAN_TYPE, "sync").doing(|| format!("have events scanned ({SCAN_TYPE})"))?;
    // Looking at every disk takes time, so they are counted first.
    let all = || disks().ok().filter(|disks| disks.len() >= expect);
    let disks = match wait_for(give_up, || (count() >= expect).then(all).flatten()) {
        Some(disks) => disks,
        None => disks()?,
    };
    let missing = (disks.len() < expect).then(|| {
        let patience = patience.as_secs();
        format!("in all, {} of {expect} appeared within {patience} s{trouble}", disks.len())
    });
    Ok((disks, missing))
}

/// The number of disks in sysfs, usable or not.
fn count() -> usize {
    fs::read_dir("/sys/class/scsi_disk").map_or(0, |entries| entries.flatten().count())
}

/// Polls `look` until it returns something or `give_up` has passed; calls it at least once.
fn wait_for<T>(give_up: Instant, look: impl Fn() -> Option<T>) -> Option<T> {
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= give_up {
            return found;
        }
        std::thread::sleep(LOOK);
    }
}

/// The SCSI host (`host2`) of an HBA.
fn host(hba: &str) -> Option<String> {
    let named = |dir: &Path, prefix: &str| -> Option<PathBuf> {
        let mut entries = fs::read_dir(dir).ok()?.flatten();
        entries.find_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_prefix(prefix)?;
            rest.bytes().all(|b| b.is_ascii_digit()).then(|| entry.path())
        })
    };
    if hba.contains('/') {
        return None;
    }
    let virtio = named(&Path::new("/sys/bus/pci/devices").join(hba), "virtio")?;
    let host = named(&virtio, "host")?;
    Some(host.file_name()?.to_str()?.to_owned())
}

/// The disk of a path, if it is usable.
pub(crate) fn disk_at(path: &PathAddress) -> Option<Disk> {
    disk(&device_at(path)?).filter(|disk| disk.path == *path)
}

/// The disk with this `major:minor`, if it is usable and one of a virtio HBA.
pub(crate) fn disk_of(dev: &str) -> Option<Disk> {
    disk(&Path::new("/sys/dev/block").join(dev).join("device"))
}

/// The address of the disk with this `major:minor`, by its name in sysfs alone.
pub(crate) fn address_of(dev: &str) -> Option<PathAddress> {
    let path = fs::canonicalize(Path::new("/sys/dev/block").join(dev).join("device")).ok()?;
    address(path.to_str()?)
}

/// The WWID of the disk of a path, in the form of udev's `ID_SERIAL` (scsi_id(8)): the type of the
/// designator, and its digits or text.
pub(crate) fn wwid(path: &PathAddress) -> Option<String> {
    udev_name(&attribute(&device_at(path)?.join("wwid"))?)
}

/// The kernel's name of a designator (`scsi_lib.c:scsi_vpd_lun_id`) in the form of udev.
fn udev_name(wwid: &str) -> Option<String> {
    let (kind, name) = wwid.split_once('.')?;
    let kind = match kind {
        "naa" => "3",
        "eui" => "2",
        "t10" => "1",
        _ => return None,
    };
    // Blanks would end a word of udev's and of multipath-tools.
    let name: Vec<&str> = name.split_whitespace().collect();
    Some(format!("{kind}{}", name.join("_"))).filter(|name| name.len() > 1)
}

/// The directory in sysfs of the SCSI device of a path.
fn device_at(path: &PathAddress) -> Option<PathBuf> {
    let host = host(&path.target.hba)?;
    let number = host.strip_prefix("host")?;
    let name = format!("{number}:0:{}:{}", path.target.target, path.lun);
    Some(Path::new("/sys/bus/scsi/devices").join(name))
}

/// All usable disks of all virtio HBAs, sorted by address.
pub(crate) fn disks() -> Result<Vec<Disk>> {
    let bus = Path::new("/sys/bus/scsi/devices");
    let Ok(entries) = fs::read_dir(bus) else { return Ok(Vec::new()) };
    let mut disks: Vec<Disk> = entries.flatten().filter_map(|e| disk(&e.path())).collect();
    disks.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(disks)
}

/// The disk of a SCSI device; `None` for hosts, targets, and devices without a usable disk.
fn disk(device: &Path) -> Option<Disk> {
    let path = address(fs::canonicalize(device).ok()?.to_str()?)?;
    let block = fs::read_dir(device.join("block")).ok()?.flatten().next()?;
    let name = block.file_name().into_string().ok()?;
    let dev = attribute(&block.path().join("dev"))?;
    if !Path::new("/dev").join(&name).exists() {
        return None;
    }
    Some(Disk {
        path,
        dev,
        sectors: attribute(&block.path().join("size"))?.parse().ok()?,
        vendor: attribute(&device.join("vendor"))?,
        model: attribute(&device.join("model"))?,
        handler: attribute(&device.join("dh_state")).unwrap_or_else(|| "detached".to_owned()),
        // Reading it fails with EINVAL if the device handler does not support access states.
        access_state: attribute(&device.join("access_state")),
        name,
    })
}

fn attribute(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Parses the address from a device's sysfs path:
/// `/sys/devices/pci0000:00/0000:00:10.0/virtio4/host2/target2:0:1/2:0:1:0`.
fn address(path: &str) -> Option<PathAddress> {
    let parts: Vec<&str> = path.split('/').collect();
    let virtio = parts.iter().position(|part| part.starts_with("virtio"))?;
    let hba = (*parts.get(virtio.checked_sub(1)?)?).to_owned();
    let mut numbers = parts.last()?.split(':');
    let (_, _, target, lun) = (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
    let (target, lun) = (target.parse().ok()?, lun.parse().ok()?);
    Some(PathAddress { target: TargetAddress { hba, target }, lun })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designators_are_named_as_udev_names_them() {
        let name = |wwid| udev_name(wwid).unwrap_or_default();
        assert_eq!(name("naa.600a0b8000"), "3600a0b8000");
        assert_eq!(name("eui.00000001"), "200000001");
        assert_eq!(name("t10.ACME  disk 1  "), "1ACME_disk_1");
        for nothing in ["", "naa", "naa.", "uuid.1", "t10.   "] {
            assert_eq!(name(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn addresses_are_read_from_sysfs_paths() {
        let path = "/sys/devices/pci0000:00/0000:00:10.0/virtio4/host2/target2:0:1/2:0:1:12";
        let target = TargetAddress { hba: "0000:00:10.0".into(), target: 1 };
        assert_eq!(address(path), Some(PathAddress { target, lun: 12 }));
        for other in [
            "/sys/devices/pci0000:00/0000:00:10.0/virtio4/host2",
            "/sys/devices/pci0000:00/0000:00:10.0/virtio4/host2/target2:0:1",
            "/sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0",
            "virtio4",
        ] {
            assert_eq!(address(other), None, "{other}");
        }
    }
}
