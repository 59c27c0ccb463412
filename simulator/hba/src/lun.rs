//! LUN fields: eight bytes that name a target and one of its logical units.
//!
//! In requests, the field is `01 TT LL LL 00 00 00 00`, where `LL LL` is a single level LUN
//! structure (virtio 1.2 5.6.6.1, SAM-5 4.7). A Linux guest always uses flat space addressing there. In
//! events, a Linux guest reads bytes 2 and 3 as the number by which it knows the LUN from REPORT LUNS
//! (virtio_scsi:virtscsi_handle_transport_reset). Flat space addressing in an event would name another
//! LUN if the list does not have it, too.

use sansim_array::{EncodedLun, Lun};

/// The highest LUN in flat space addressing.
pub(crate) const MAX_LUN: u16 = 0x3FFF;

/// The target and the LUN in a LUN field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    /// The virtio target id. The target need not exist.
    pub(crate) target: u8,
    /// At most [`MAX_LUN`], or [`Lun::REPORT_LUNS`].
    pub(crate) lun: Lun,
}

impl Address {
    /// Decodes a request's LUN field; `None` if virtio-scsi does not define its format.
    pub(crate) fn from_request(field: [u8; 8]) -> Option<Address> {
        let [1, target, high, low, 0, 0, 0, 0] = field else { return None };
        let lun = EncodedLun(u16::from_be_bytes([high, low])).decode()?;
        Some(Address { target, lun })
    }
}

/// The target and the LUN of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventAddress {
    /// The virtio target id.
    pub(crate) target: u8,
    /// The LUN as REPORT LUNS lists it.
    pub(crate) lun: EncodedLun,
}

impl EventAddress {
    /// Encodes the LUN field of an event.
    pub(crate) fn field(self) -> [u8; 8] {
        let [high, low] = self.lun.0.to_be_bytes();
        [1, self.target, high, low, 0, 0, 0, 0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: [u8; 4]) -> Option<(u8, u16)> {
        let [a, b, c, d] = bytes;
        Address::from_request([a, b, c, d, 0, 0, 0, 0]).map(|at| (at.target, at.lun.0))
    }

    #[test]
    fn requests_name_units_in_flat_and_peripheral_form() {
        assert_eq!(decoded([1, 0, 0x40, 0]), Some((0, 0)));
        assert_eq!(decoded([1, 7, 0x40, 5]), Some((7, 5)));
        assert_eq!(decoded([1, 7, 0x41, 5]), Some((7, 0x105)));
        assert_eq!(decoded([1, 255, 0x7F, 0xFF]), Some((255, MAX_LUN)));
        assert_eq!(decoded([1, 3, 0, 9]), Some((3, 9)));
        assert_eq!(decoded([1, 3, 0xC1, 1]), Some((3, Lun::REPORT_LUNS.0)));
    }

    #[test]
    fn other_forms_name_nothing() {
        for bytes in [
            [0, 0, 0x40, 0],    // not a virtio-scsi LUN
            [2, 0, 0x40, 0],    // not a virtio-scsi LUN
            [1, 0, 0x01, 0],    // peripheral, on bus 1
            [1, 0, 0x80, 0],    // logical unit addressing
            [1, 0, 0xC1, 2],    // the ACCESS CONTROLS well-known unit
            [1, 0, 0xD2, 0x00], // extended flat
        ] {
            assert_eq!(decoded(bytes), None, "{bytes:02x?}");
        }
        assert_eq!(Address::from_request([1, 0, 0x40, 0, 0x40, 1, 0, 0]), None, "two levels");
    }

    #[test]
    fn events_name_units_as_the_guest_knows_them() {
        let field = |target, lun| EventAddress { target, lun: EncodedLun(lun) }.field();
        assert_eq!(field(0, 0), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(field(2, 255), [1, 2, 0, 255, 0, 0, 0, 0]);
        assert_eq!(field(2, 0x4100), [1, 2, 0x41, 0, 0, 0, 0, 0]);
    }
}
