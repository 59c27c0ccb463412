//! The first byte of all INQUIRY data (SPC-4 6.6.2).

use crate::personality::Site;

/// "No device here, but the target is able to have one" and "unknown or no device type".
const NOT_MAPPED: u8 = 0x7f;

/// Peripheral qualifier and device type: a disk, or nothing.
pub(super) fn peripheral(site: &Site<'_>) -> u8 {
    if site.unit().is_some() { 0x00 } else { NOT_MAPPED }
}
