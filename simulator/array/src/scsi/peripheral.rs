//! The first byte of INQUIRY data (SPC-4 6.6.2).

use crate::personality::Site;

/// Peripheral qualifier 011b and device type 1Fh: the target does not support a device at this LUN.
const NOT_MAPPED: u8 = 0x7f;

/// The peripheral qualifier and the device type: a disk, or no device.
pub(super) fn peripheral(site: &Site<'_>) -> u8 {
    if site.unit().is_some() { 0x00 } else { NOT_MAPPED }
}
