//! Packets as frames: which path carries them, and what is remembered for later ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use sansim_array::{Lun, Nexus, TaskManagement};

use crate::{
    comment,
    packet::{Function, Packet},
    path::{Path, Sender, hba_address, port_address},
    pdu,
    task_tag::TaskTag,
};

/// The maximum number of command identifiers that are remembered for ABORT TASK and QUERY TASK. A
/// guest that never reuses one makes the capture forget them all.
const IDENTIFIERS: usize = 1 << 16;

/// A frame on a path.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The number of the path's interface.
    pub(crate) interface: u32,
    /// The bytes from the Ethernet header on.
    pub(crate) bytes: Vec<u8>,
    pub(crate) comment: Option<String>,
}

/// The paths of a SAN.
#[derive(Debug)]
pub(crate) struct Wire {
    paths: BTreeMap<Nexus, Path>,
    /// The tags of commands, by the identifiers that the initiator chose.
    tags: BTreeMap<(Nexus, Lun, u64), TaskTag>,
}

impl Wire {
    /// Numbers the interfaces in the order of the nexuses.
    pub(crate) fn new(nexuses: BTreeSet<Nexus>) -> Self {
        let paths = (0..).zip(nexuses).map(|(index, nexus)| (nexus, Path::new(index, nexus)));
        Wire { paths: paths.collect(), tags: BTreeMap::new() }
    }

    /// The names of the interfaces: `hba0 to A0`.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = String> {
        self.paths.keys().map(|Nexus { hba, port }| format!("{hba} to {port}"))
    }

    /// The names of the addresses of HBAs and ports.
    pub(crate) fn names(&self) -> BTreeMap<Ipv4Addr, String> {
        let ends = |it: &Nexus| {
            let hba = (hba_address(it.hba), it.hba.to_string());
            [hba, (port_address(it.port), it.port.to_string())]
        };
        self.paths.keys().flat_map(ends).collect()
    }

    pub(crate) fn has(&self, nexus: Nexus) -> bool {
        self.paths.contains_key(&nexus)
    }

    /// The next frame of the packet's path; `None` if there is no such path, or if a response was
    /// never sent.
    pub(crate) fn frame(&mut self, packet: &Packet) -> Option<Frame> {
        let path = self.paths.get_mut(&packet.nexus())?;
        let (sender, pdu, comment) = match packet {
            Packet::Command(record) => {
                if self.tags.len() >= IDENTIFIERS {
                    self.tags.clear();
                }
                let identifier = (record.nexus, record.addressed, record.tag);
                self.tags.insert(identifier, TaskTag::of_command(record.seq));
                (Sender::Initiator, pdu::command(record, path), comment::on_command(record))
            }
            Packet::DataIn(record) => {
                (Sender::Target, pdu::data_in(record, path), comment::on_data_in(record))
            }
            Packet::Response(record) => {
                (Sender::Target, pdu::response(record, path)?, comment::on_response(record))
            }
            Packet::Function(function) => {
                let pdu = pdu::function(function, refers_to(&self.tags, function), path);
                (Sender::Initiator, pdu, comment::on_function(function))
            }
            Packet::FunctionResponse(function) => {
                (Sender::Target, pdu::function_response(function, path)?, None)
            }
            Packet::End(_, why) => (Sender::Initiator, pdu::nothing(path), Some(why.clone())),
        };
        Some(Frame { interface: path.interface, bytes: path.frame(sender, &pdu), comment })
    }
}

/// The tag of the command that a function aborts or queries.
fn refers_to(tags: &BTreeMap<(Nexus, Lun, u64), TaskTag>, function: &Function) -> TaskTag {
    match function.function {
        TaskManagement::AbortTask { tag } | TaskManagement::QueryTask { tag } => {
            let identifier = (function.nexus, function.lun, tag);
            tags.get(&identifier).copied().unwrap_or(TaskTag::NONE)
        }
        _ => TaskTag::NONE,
    }
}
