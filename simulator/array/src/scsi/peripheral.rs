//! The first byte of INQUIRY data (SPC-4 6.6.2).

use crate::{ids::Lun, personality::Site, target::Lunz};

/// Peripheral qualifier 000b: a device is connected; device type 00h: a disk.
const DISK: u8 = 0x00;
/// Device type 1Eh: a well-known logical unit.
const WELL_KNOWN: u8 = 0x1e;
/// Peripheral qualifier 001b: the target could support a device at this LUN, and none is connected.
const NOT_CONNECTED: u8 = 0x20;
/// Peripheral qualifier 011b and device type 1Fh: the target does not support a device at this LUN.
const NOT_MAPPED: u8 = 0x7f;

/// The peripheral qualifier and the device type: a disk, a well-known logical unit, or no device.
pub(super) fn peripheral(site: &Site<'_>) -> u8 {
    match site.target.lunz {
        _ if site.unit().is_some() => DISK,
        _ if site.lun == Lun::REPORT_LUNS => WELL_KNOWN,
        Lunz::NotConnected if site.is_lunz() => NOT_CONNECTED,
        Lunz::Disk if site.is_lunz() => DISK,
        _ => NOT_MAPPED,
    }
}
