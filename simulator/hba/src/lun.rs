//! LUN fields: eight bytes that name a target and one of its logical units.
//!
//! In requests, the field is `01 TT LL LL 00 00 00 00`, where `LL LL` is a single level LUN
//! structure (virtio 1.2 5.6.6.1, SAM-5 4.7). In events, the LUN is encoded differently: a Linux
//! guest reads bytes 2 and 3 as a plain number (virtio_scsi:virtscsi_handle_transport_reset),
//! without decoding flat space addressing as in requests. Flat space addressing in an event would
//! therefore name another LUN.

use sansim_array::Lun;

/// The REPORT LUNS well-known logical unit (SAM-5 4.7.7), which every target supports.
pub(crate) const REPORT_LUNS_UNIT: Lun = Lun(0xC101);

/// The highest LUN in flat space addressing.
pub(crate) const MAX_LUN: u16 = 0x3FFF;

/// The target and the LUN in a LUN field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    /// The virtio target id. The target need not exist.
    pub(crate) target: u8,
    /// At most [`MAX_LUN`], or [`REPORT_LUNS_UNIT`].
    pub(crate) lun: Lun,
}

impl Address {
    /// Decodes a request's LUN field; `None` if virtio-scsi does not define its format.
    pub(crate) fn from_request(field: [u8; 8]) -> Option<Address> {
        let [1, target, high, low, 0, 0, 0, 0] = field else { return None };
        let lun = match high >> 6 {
            // Peripheral device addressing: bus 0, then the LUN.
            0b00 if high == 0 => Lun(u16::from(low)),
            // Flat space addressing: 14 bits.
            0b01 => Lun(u16::from_be_bytes([high & 0x3F, low])),
            // Extended addressing, one byte long: well-known logical unit.
            0b11 if Lun(u16::from_be_bytes([high, low])) == REPORT_LUNS_UNIT => REPORT_LUNS_UNIT,
            _ => return None,
        };
        Some(Address { target, lun })
    }

    /// Encodes the LUN field of an event.
    pub(crate) fn to_event(self) -> [u8; 8] {
        let [mut high, low] = self.lun.0.to_be_bytes();
        if self.lun.0 > 0xFF {
            // REPORT LUNS returns these LUNs in flat space addressing, and the guest knows them by
            // that number.
            high |= 0x40;
        }
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
        assert_eq!(decoded([1, 3, 0xC1, 1]), Some((3, REPORT_LUNS_UNIT.0)));
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
    fn events_name_low_units_as_plain_numbers() {
        let field = |target, lun| Address { target, lun: Lun(lun) }.to_event();
        assert_eq!(field(0, 0), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(field(2, 255), [1, 2, 0, 255, 0, 0, 0, 0]);
        assert_eq!(field(2, 256), [1, 2, 0x41, 0, 0, 0, 0, 0]);
    }
}
