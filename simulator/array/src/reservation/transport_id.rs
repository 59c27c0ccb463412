//! TransportIDs, which name initiator ports (SPC-4 7.6.4).
//!
//! The simulated arrays are Fibre Channel arrays, and so are the names: format 0, protocol 0, 24
//! bytes with the N_Port_Name of an HBA's port. The host has no real Fibre Channel port, so the
//! names are NAA 3h names, which are locally assigned. HBA 3 is `30:00:00:00:73:61:6e:03`.

use crate::ids::HbaId;

/// The length of a TransportID in bytes.
pub(crate) const LEN: usize = 24;

/// The offset of the N_Port_Name.
const NAME: usize = 8;
/// An N_Port_Name without its last byte, which is the number of the HBA.
const SITE: [u8; 7] = [0x30, 0x00, 0x00, 0x00, b's', b'a', b'n'];

/// The TransportID of an HBA.
pub(crate) fn of(hba: HbaId) -> [u8; LEN] {
    let mut id = [0; LEN];
    id[NAME..NAME + SITE.len()].copy_from_slice(&SITE);
    id[NAME + SITE.len()] = hba.0;
    id
}

/// The HBA that a TransportID names; `None` if the protocol or the name is not ours. Reserved bytes
/// are ignored.
pub(crate) fn parse(id: &[u8]) -> Option<HbaId> {
    let (format_and_protocol, name) = (id.first()?, id.get(NAME..NAME + SITE.len())?);
    let hba = *id.get(NAME + SITE.len())?;
    (format_and_protocol & 0xcf == 0 && name == SITE).then_some(HbaId(hba))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for hba in [0, 1, 255].map(HbaId) {
            assert_eq!(parse(&of(hba)), Some(hba));
        }
        assert_eq!(of(HbaId(3))[8..16], [0x30, 0, 0, 0, 0x73, 0x61, 0x6e, 3]);
    }

    #[test]
    fn other_names_are_not_understood() {
        let iscsi = [0x05; LEN];
        assert_eq!(parse(&iscsi), None);
        assert_eq!(parse(&[0; LEN]), None);
        assert_eq!(parse(&of(HbaId(0))[..15]), None);
        assert_eq!(parse(&[]), None);
    }
}
