//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng, section 4), in little-endian order.

use std::net::Ipv4Addr;

/// Block types: each is in the section of its block.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;

/// Options of any block (section 3.5).
const COMMENT: u16 = 1;
/// Options of a section header (section 4.1).
const HARDWARE: u16 = 2;
const OPERATING_SYSTEM: u16 = 3;
const APPLICATION: u16 = 4;
/// Options of an interface description (section 4.2).
const INTERFACE_NAME: u16 = 2;
const RESOLUTION: u16 = 9;

/// The link type of Ethernet frames.
const ETHERNET: u16 = 1;
/// Timestamps count units of 10^-9 s.
const NANOSECONDS: u8 = 9;
/// A name record for an IPv4 address (section 4.5).
const IPV4_RECORD: u16 = 1;

/// A Section Header Block (section 4.1) with a comment on the whole file.
pub(crate) fn section_header(comment: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    // Version 1.0. The length of the section is not known.
    body.extend([1, 0, 0, 0]);
    body.extend((-1_i64).to_le_bytes());
    let application = concat!("sansim ", env!("CARGO_PKG_VERSION"));
    option(&mut body, COMMENT, comment.as_bytes());
    option(&mut body, HARDWARE, b"a SAN simulated by sansim");
    option(&mut body, OPERATING_SYSTEM, b"the Linux guest of sansim");
    option(&mut body, APPLICATION, application.as_bytes());
    end_of_options(&mut body);
    block(SECTION_HEADER, &body)
}

/// An Interface Description Block (section 4.2). Interfaces are numbered from 0 in the order of
/// their blocks.
pub(crate) fn interface(name: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(ETHERNET.to_le_bytes());
    // Reserved, and no limit of the packet length.
    body.extend([0; 6]);
    option(&mut body, INTERFACE_NAME, name.as_bytes());
    option(&mut body, RESOLUTION, &[NANOSECONDS]);
    end_of_options(&mut body);
    block(INTERFACE_DESCRIPTION, &body)
}

/// A Name Resolution Block (section 4.5).
pub(crate) fn names(names: impl IntoIterator<Item = (Ipv4Addr, String)>) -> Vec<u8> {
    let mut body = Vec::new();
    for (address, name) in names {
        let mut record = address.octets().to_vec();
        record.extend(name.as_bytes());
        record.push(0);
        option(&mut body, IPV4_RECORD, &record);
    }
    // The end of the records, in the form of an option. No options follow.
    end_of_options(&mut body);
    block(NAME_RESOLUTION, &body)
}

/// An Enhanced Packet Block (section 4.3). `time` is in nanoseconds since 1970.
pub(crate) fn packet(interface: u32, time: u64, frame: &[u8], comment: Option<&str>) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    let len = frame.len() as u32;
    body.extend(interface.to_le_bytes());
    body.extend(((time >> 32) as u32).to_le_bytes());
    body.extend((time as u32).to_le_bytes());
    // The captured length, and the length on the wire.
    body.extend(len.to_le_bytes());
    body.extend(len.to_le_bytes());
    padded(&mut body, frame);
    if let Some(comment) = comment {
        option(&mut body, COMMENT, comment.as_bytes());
        end_of_options(&mut body);
    }
    block(ENHANCED_PACKET, &body)
}

/// A block of any type (section 3.1). `body` is a multiple of 4 bytes long.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes(), &len, body, &len].concat()
}

/// An option (section 3.5). Only the first 65535 bytes of `value` fit.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(u16::MAX.into())];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Appends bytes, and zeros up to a multiple of 4.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_its_length_at_both_ends() {
        for comment in [None, Some("a"), Some("abcd"), Some("abcde")] {
            let block = packet(3, 0x1_0000_0002, &[7; 61], comment);
            let len = (block.len() as u32).to_le_bytes();
            assert_eq!((block.len() % 4, &block[4..8]), (0, &len[..]));
            assert_eq!(block[block.len() - 4..], len);
            assert_eq!(block[8..20], [3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
            assert_eq!(block[20..28], [61, 0, 0, 0, 61, 0, 0, 0]);
        }
    }

    #[test]
    fn an_option_is_padded_and_its_length_is_not() {
        let block = interface("hba0 to A0");
        assert_eq!(block[16..20], [2, 0, 10, 0]);
        assert_eq!(block[20..32], *b"hba0 to A0\0\0");
        assert_eq!(block[32..44], [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut() {
        let mut body = Vec::new();
        option(&mut body, COMMENT, &[b'x'; 70_000]);
        assert_eq!(body.len(), 4 + 65_536);
        assert_eq!(body[2..4], [0xff, 0xff]);
    }
}
