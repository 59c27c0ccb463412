//! How an initiator port is named: a TransportID (SPC-4 7.6.4).
//!
//! The arrays are Fibre Channel arrays of their time, and so are the names: format 0, protocol 0,
//! 24 bytes with the N_Port_Name of an HBA's port. The host has no real one; HBA 3 is
//! `30:00:00:00:73:61:6e:03`, an NAA 3h name, which is for its site to assign.

use crate::ids::HbaId;

/// The length of a TransportID.
pub(crate) const LEN: usize = 24;

/// Where the N_Port_Name is.
const NAME: usize = 8;
/// An N_Port_Name but for its last byte, which is the HBA's number.
const SITE: [u8; 7] = [0x30, 0x00, 0x00, 0x00, b's', b'a', b'n'];

/// The name of an HBA.
pub(crate) fn of(hba: HbaId) -> [u8; LEN] {
    let mut id = [0; LEN];
    id[NAME..NAME + SITE.len()].copy_from_slice(&SITE);
    id[NAME + SITE.len()] = hba.0;
    id
}

/// The HBA that a TransportID names; none if it is one of another protocol or site. Reserved bytes
/// are not looked at.
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
