//! A path as a TCP connection: addresses, headers and counters.

use std::net::Ipv4Addr;

use etherparse::PacketBuilder;
use sansim_array::{HbaId, Nexus, PortId};

/// The TCP port of an iSCSI target (IANA: iscsi-target), and one for the initiator.
const TARGET_PORT: u16 = 3260;
const INITIATOR_PORT: u16 = 49_152;

/// The hop limit of every packet. No router is in between.
const HOPS: u8 = 64;
const TCP_WINDOW: u16 = u16::MAX;

/// The end of a path that sends a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Initiator,
    Target,
}

/// A path with everything that counts up along its connection.
#[derive(Debug)]
pub(crate) struct Path {
    /// The number of the interface in the file.
    pub(crate) interface: u32,
    initiator: End,
    target: End,
    /// The command sequence number of the next command (RFC 7143 clause 4.2.2.1).
    pub(crate) cmd_sn: u32,
    /// The status sequence number of the next response (RFC 7143 clause 4.2.2.2).
    pub(crate) stat_sn: u32,
}

/// One end of a connection.
#[derive(Debug)]
struct End {
    mac: [u8; 6],
    ip: Ipv4Addr,
    port: u16,
    /// The TCP sequence number of the next byte.
    next: u32,
}

impl Path {
    pub(crate) fn new(interface: u32, nexus: Nexus) -> Self {
        let end = |kind, ip: Ipv4Addr, port| {
            // Locally administered addresses.
            End { mac: [2, 0, 0, 0, kind, ip.octets()[3]], ip, port, next: 1 }
        };
        let initiator = end(0, hba_address(nexus.hba), INITIATOR_PORT);
        let target = end(1, port_address(nexus.port), TARGET_PORT);
        Path { interface, initiator, target, cmd_sn: 1, stat_sn: 1 }
    }

    /// The Ethernet frame in which `sender` sends a PDU. The next frame of the path follows on it.
    pub(crate) fn frame(&mut self, sender: Sender, pdu: &[u8]) -> Vec<u8> {
        let (from, to) = match sender {
            Sender::Initiator => (&mut self.initiator, &self.target),
            Sender::Target => (&mut self.target, &self.initiator),
        };
        let builder = PacketBuilder::ethernet2(from.mac, to.mac)
            .ipv4(from.ip.octets(), to.ip.octets(), HOPS)
            .tcp(from.port, to.port, from.next, TCP_WINDOW)
            .psh()
            .ack(to.next);
        from.next = from.next.wrapping_add(pdu.len() as u32);
        let mut frame = Vec::with_capacity(builder.size(pdu.len()));
        builder.write_to_vec(&mut frame, pdu).expect("a PDU is far shorter than an IPv4 packet");
        frame
    }
}

/// `hba0` is 192.0.2.1: the documentation block TEST-NET-1 (RFC 5737).
pub(crate) fn hba_address(hba: HbaId) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, hba.0.wrapping_add(1))
}

/// `A0` is 198.51.100.10, `B1` is 198.51.100.21: the documentation block TEST-NET-2 (RFC 5737).
pub(crate) fn port_address(port: PortId) -> Ipv4Addr {
    let controller = port.controller.index() as u8 + 1;
    Ipv4Addr::new(198, 51, 100, (controller * 10).wrapping_add(port.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_counts_its_bytes_and_acknowledges_the_others() {
        let nexus = Nexus { hba: HbaId(1), port: "B1".parse().unwrap() };
        let mut path = Path::new(0, nexus);
        let mut sent = |sender, len: usize| {
            let frame = path.frame(sender, &vec![0; len]);
            assert_eq!(frame.len(), 54 + len);
            let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
            (frame[26..34].to_vec(), number(38), number(42))
        };
        let (hba, port) = ([192, 0, 2, 2], [198, 51, 100, 21]);
        let (out, back) = ([hba, port].concat(), [port, hba].concat());
        assert_eq!(sent(Sender::Initiator, 48), (out.clone(), 1, 1));
        assert_eq!(sent(Sender::Target, 68), (back, 1, 49));
        assert_eq!(sent(Sender::Initiator, 48), (out, 49, 69));
    }
}
