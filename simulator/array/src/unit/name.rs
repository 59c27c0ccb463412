//! The world-wide names of LUNs.

use crate::{hash::fnv1a, identity::Identity, ids::Lun};

/// An NAA type 6 designator (SPC-4 7.8.6.6.5). It consists of the OUI, the array, the LUN and the
/// number of LUNs that were mapped before, so that a LUN that is mapped again gets another name.
pub(crate) fn world_wide_name(
    maker: [u8; 3],
    identity: &Identity,
    lun: Lun,
    mapping: u16,
) -> [u8; 16] {
    let mut name = [0; 16];
    name[0] = 0x60 | maker[0] >> 4;
    name[1] = maker[0] << 4 | maker[1] >> 4;
    name[2] = maker[1] << 4 | maker[2] >> 4;
    name[3] = maker[2] << 4;
    name[4..12].copy_from_slice(&fnv1a(identity.serial.as_bytes()).to_be_bytes());
    name[12..14].copy_from_slice(&mapping.to_be_bytes());
    name[14..16].copy_from_slice(&lun.0.to_be_bytes());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_naa_type_6_and_tells_maker_and_lun() {
        let name = world_wide_name(
            [0x00, 0xa0, 0xb8],
            &Identity::new("IBM", "1814      FAStT", "0916"),
            Lun(0x102),
            3,
        );
        assert_eq!(name[..4], [0x60, 0x0a, 0x0b, 0x80]);
        assert_eq!(name[12..], [0, 3, 1, 2]);
    }
}
