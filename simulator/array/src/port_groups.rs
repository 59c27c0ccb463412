//! The parameter data of REPORT TARGET PORT GROUPS (SPC-4 6.37): its header and its descriptors, and
//! captured ones.

use crate::{
    encoding::be16,
    ids::{Lun, NexusPattern},
};

/// The length of a descriptor without its ports, in bytes.
pub(crate) const DESCRIPTOR: usize = 8;
/// The length of a target port descriptor, in bytes.
const PORT: usize = 4;
/// The access state and the PREF bit in the first byte of a descriptor.
const LIVE: u8 = 0x8f;
/// Values of the PARAMETER DATA FORMAT field: in the CDB, and in byte 4 of the extended header.
const LENGTH_ONLY: u8 = 0;
const EXTENDED: u8 = 1;

/// The header of the parameter data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// Only the length.
    LengthOnly,
    /// Extended, with the implicit transition time in seconds.
    Extended(u8),
}

impl Header {
    /// The header that a CDB asks for; `None` for a reserved format.
    pub(crate) fn requested(cdb: &[u8]) -> Option<Header> {
        match cdb[1] >> 5 {
            LENGTH_ONLY => Some(Header::LengthOnly),
            EXTENDED => Some(Header::Extended(0)),
            _ => None,
        }
    }

    /// The parameter data: the header, and then the descriptors.
    pub(crate) fn before(self, descriptors: Vec<u8>) -> Vec<u8> {
        let mut data = match self {
            Header::LengthOnly => vec![0; 4],
            Header::Extended(seconds) => vec![0, 0, 0, 0, EXTENDED << 4, seconds, 0, 0],
        };
        data.extend(descriptors);
        let len = (data.len() - 4) as u32;
        data[..4].copy_from_slice(&len.to_be_bytes());
        data
    }
}

/// The answer of a real array to REPORT TARGET PORT GROUPS, which replaces the emulated one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedGroups {
    /// The nexuses to which the captured groups are reported.
    pub to: NexusPattern,
    /// The LUN for which they are reported, by its own number; `None` for all.
    pub lun: Option<Lun>,
    /// The descriptors, without the header.
    descriptors: Vec<u8>,
    /// Whether they are reported unchanged. If not, the access state, the PREF bit and the status code of
    /// each group that the emulated array has, too, are live.
    pub frozen: bool,
}

/// A target port group of a captured answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedGroup {
    /// The identifier of the group.
    pub group: u16,
    /// The relative target port identifiers of its ports.
    pub ports: Vec<u16>,
}

impl CapturedGroups {
    /// Takes the parameter data of REPORT TARGET PORT GROUPS, with either header.
    ///
    /// # Errors
    /// What is wrong with the data, as a sentence.
    pub fn new(
        to: NexusPattern,
        lun: Option<Lun>,
        data: &[u8],
        frozen: bool,
    ) -> Result<Self, String> {
        let [a, b, c, d, rest @ ..] = data else {
            return Err("the data has a header of four bytes, its length".to_owned());
        };
        let len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(rest) = rest.get(..len) else {
            return Err(format!(
                "its length field makes it {} bytes long, and it is {}: was it cut when it was captured?",
                len.saturating_add(4),
                data.len()
            ));
        };
        // Bits 6 to 4 are reserved in a descriptor, whose first byte has a group's state.
        let rest = if rest.first().is_some_and(|byte| byte & 0x70 == EXTENDED << 4) {
            rest.get(4..).unwrap_or_default()
        } else {
            rest
        };
        let captured = CapturedGroups { to, lun, descriptors: rest.to_vec(), frozen };
        let taken: usize = captured.offsets().map(|(_, len)| len).sum();
        if taken != captured.descriptors.len() {
            return Err("its last target port group is not complete".to_owned());
        }
        Ok(captured)
    }

    /// The parameter data, with the header that has only the length.
    pub fn data(&self) -> Vec<u8> {
        Header::LengthOnly.before(self.descriptors.clone())
    }

    /// The groups.
    pub fn groups(&self) -> Vec<CapturedGroup> {
        let group = |(at, len): (usize, usize)| {
            let ports = self.descriptors[at + DESCRIPTOR..at + len].chunks(PORT);
            CapturedGroup {
                group: be16(&self.descriptors, at + 2),
                ports: ports.map(|port| be16(port, 2)).collect(),
            }
        };
        self.offsets().map(group).collect()
    }

    /// The descriptors in place of the array's own ones, from which the live fields are taken.
    pub(crate) fn instead_of(&self, own: &[u8]) -> Vec<u8> {
        let mut data = self.descriptors.clone();
        if self.frozen {
            return data;
        }
        for (at, _) in self.offsets() {
            let group = be16(&data, at + 2);
            let live = offsets(own).find(|(own_at, _)| be16(own, own_at + 2) == group);
            if let Some((live, _)) = live {
                data[at] = data[at] & !LIVE | own[live] & LIVE;
                data[at + 5] = own[live + 5];
            }
        }
        data
    }

    fn offsets(&self) -> impl Iterator<Item = (usize, usize)> {
        offsets(&self.descriptors)
    }
}

/// The offset and the length of each complete descriptor.
fn offsets(descriptors: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let ports = usize::from(*descriptors.get(at + 7)?);
        let found = (at, DESCRIPTOR + ports * PORT);
        at += found.1;
        (at <= descriptors.len()).then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups 0x11 with ports 1 and 2, and 0x12 with port 0x101.
    const GROUPS: [u8; 28] = [
        0x80, 0x0f, 0, 0x11, 0, 2, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x0f, 0, 0x12, 0, 2, 0, 1,
        0, 0, 1, 1,
    ];

    fn captured(data: &[u8], frozen: bool) -> Result<CapturedGroups, String> {
        CapturedGroups::new(NexusPattern::ALL, None, data, frozen)
    }

    #[test]
    fn either_header_is_taken_off() {
        let short = Header::LengthOnly.before(GROUPS.to_vec());
        let long = Header::Extended(60).before(GROUPS.to_vec());
        assert_eq!((short.len(), long.len(), long[5]), (32, 36, 60));
        assert_eq!(captured(&short, false), captured(&long, false));
        let groups = captured(&[&short[..], &[0, 0, 0]].concat(), false).unwrap().groups();
        assert_eq!((groups[0].group, groups[0].ports.clone()), (0x11, vec![1, 2]));
        assert_eq!((groups[1].group, groups[1].ports.clone()), (0x12, vec![0x101]));
        assert_eq!(captured(&short, false).unwrap().data(), short);
    }

    #[test]
    fn what_is_cut_is_refused() {
        let whole = Header::LengthOnly.before(GROUPS.to_vec());
        assert!(captured(&whole[..31], false).unwrap_err().contains("was it cut"));
        assert!(captured(&Header::LengthOnly.before(GROUPS[..26].to_vec()), false).is_err());
        for len in 0..4 {
            assert!(captured(&whole[..len], false).is_err());
        }
    }

    #[test]
    fn only_what_lives_is_of_the_array() {
        let whole = Header::LengthOnly.before(GROUPS.to_vec());
        let own = [0x02, 0xff, 0, 0x12, 0, 1, 0, 1, 0, 0, 0, 9];
        let told = captured(&whole, false).unwrap().instead_of(&own);
        assert_eq!(told[..16], GROUPS[..16], "a group that the array does not have");
        assert_eq!(told[16..], [0x02, 0x0f, 0, 0x12, 0, 1, 0, 1, 0, 0, 1, 1]);
        assert_eq!(captured(&whole, true).unwrap().instead_of(&own), GROUPS);
    }
}
