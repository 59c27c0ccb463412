//! The vhost-user-blk backend: features, configuration, one virtqueue.

use std::{fs::File, io, os::fd::OwnedFd, sync::atomic::Ordering};

use virtio_queue::{Queue, QueueT};
use vm_memory::{FileOffset, GuestAddress, GuestMemoryMmap};

use super::vhost_user::{Connection, Message};

/// Request numbers of the vhost-user front end.
const GET_FEATURES: u32 = 1;
const SET_MEM_TABLE: u32 = 5;
const SET_VRING_NUM: u32 = 8;
const SET_VRING_ADDR: u32 = 9;
const SET_VRING_BASE: u32 = 10;
const GET_VRING_BASE: u32 = 11;
const SET_VRING_KICK: u32 = 12;
const SET_VRING_CALL: u32 = 13;
const GET_PROTOCOL_FEATURES: u32 = 15;
const GET_QUEUE_NUM: u32 = 17;
const SET_VRING_ENABLE: u32 = 18;
const GET_CONFIG: u32 = 24;
pub(super) const SET_CONFIG: u32 = 25;

/// Features of both devices: virtio 1.x, vhost-user protocol features, and dirty page logging, without
/// which QEMU does not save the machine.
const VERSION_1: u64 = 1 << 32;
const PROTOCOL_FEATURES: u64 = 1 << 30;
const LOG_ALL: u64 = 1 << 26;

/// VHOST_USER_PROTOCOL_F_LOG_SHMFD, REPLY_ACK and CONFIG.
const PROTOCOL: u64 = 1 << 1 | 1 << 3 | 1 << 9;

/// Offset of the data in the payloads of GET_CONFIG and SET_CONFIG.
const CONFIG_DATA: usize = 12;
/// Longest virtqueue that QEMU creates, in descriptors.
const LONGEST_QUEUE: u16 = 1024;
/// This bit in SET_VRING_KICK and SET_VRING_CALL means that no file descriptor is attached.
const NO_FILE: u64 = 1 << 8;

/// What distinguishes a device: its additional features and its configuration (virtio 1.2, 5.2.3 and
/// 5.2.4).
pub(super) trait BlockConfig {
    /// Feature bits in addition to the common ones.
    fn features(&self) -> u64;

    /// The configuration space, `struct virtio_blk_config`.
    fn bytes(&self) -> [u8; 64];

    /// Handles a write of one configuration byte. Returns whether the reply to the front end comes later.
    fn written(&mut self, at: usize, byte: u8) -> bool;
}

/// A memory region of the guest, with QEMU's virtual address.
#[derive(Debug, Clone, Copy)]
struct Region {
    guest: u64,
    size: u64,
    qemu: u64,
}

/// State of a device's virtqueue and vhost-user session.
pub(super) struct BlockDevice<P> {
    pub(super) config: P,
    ram: File,
    regions: Vec<Region>,
    pub(super) memory: GuestMemoryMmap<()>,
    pub(super) queue: Queue,
    started: bool,
    enabled: bool,
    /// The kick and call eventfds, used only until the agent asks its first question.
    pub(super) kick: Option<OwnedFd>,
    pub(super) call: Option<OwnedFd>,
}

impl<P: BlockConfig> BlockDevice<P> {
    /// A device without a connection. `ram` is the file with the guest's memory.
    pub(super) fn new(config: P, ram: File) -> io::Result<Self> {
        Ok(BlockDevice {
            config,
            ram,
            regions: Vec::new(),
            memory: GuestMemoryMmap::new(),
            queue: Queue::new(LONGEST_QUEUE).map_err(io::Error::other)?,
            started: false,
            enabled: false,
            kick: None,
            call: None,
        })
    }

    /// Gives the device the guest's memory and starts its virtqueue, in place of a front end.
    #[cfg(test)]
    pub(super) fn start_with(&mut self, memory: GuestMemoryMmap<()>) {
        self.memory = memory;
        self.enabled = true;
        self.start();
    }

    /// Whether the virtqueue is started, enabled and set up.
    pub(super) fn is_running(&self) -> bool {
        self.started && self.enabled && self.queue.ready()
    }

    /// Handles all waiting messages from QEMU. Returns whether a configuration write is to be answered
    /// later.
    pub(super) fn pump(&mut self, connection: &mut Connection) -> io::Result<bool> {
        while let Some(message) = connection.next()? {
            let reply = match message.request {
                SET_CONFIG if self.set_config(&message) => return Ok(true),
                _ => self.act(&message)?,
            };
            match reply {
                Some(reply) => connection.reply(message.request, &reply)?,
                None if message.needs_reply => connection.reply(message.request, &[0; 8])?,
                None => {}
            }
        }
        Ok(false)
    }

    /// Handles a message. Returns the reply's payload, if this request has one.
    fn act(&mut self, message: &Message) -> io::Result<Option<Vec<u8>>> {
        let long = |value: u64| Ok(Some(value.to_le_bytes().to_vec()));
        match message.request {
            GET_FEATURES => {
                return long(VERSION_1 | PROTOCOL_FEATURES | LOG_ALL | self.config.features());
            }
            GET_PROTOCOL_FEATURES => return long(PROTOCOL),
            GET_QUEUE_NUM => return long(1),
            GET_CONFIG => return Ok(Some(self.get_config(message))),
            GET_VRING_BASE => {
                self.started = false;
                (self.kick, self.call) = (None, None);
                let mut reply = message.payload.clone();
                reply.resize(8, 0);
                reply[4..8].copy_from_slice(&u32::from(self.queue.next_avail()).to_le_bytes());
                return Ok(Some(reply));
            }
            SET_MEM_TABLE => self.set_memory(message)?,
            SET_VRING_NUM => self.queue.set_size(message.word(4) as u16),
            SET_VRING_ADDR => self.set_rings(message),
            SET_VRING_BASE => self.queue.set_next_avail(message.word(4) as u16),
            SET_VRING_ENABLE => self.enabled = message.word(4) == 1,
            SET_VRING_KICK => {
                self.kick = file(message);
                self.start();
            }
            SET_VRING_CALL => self.call = file(message),
            _ => {}
        }
        Ok(None)
    }

    fn set_config(&mut self, message: &Message) -> bool {
        let at = message.word(0) as usize;
        message.payload.get(CONFIG_DATA).is_some_and(|byte| self.config.written(at, *byte))
    }

    fn get_config(&self, message: &Message) -> Vec<u8> {
        let mut reply = message.payload.clone();
        let config = self.config.bytes();
        let from = config.get(message.word(0) as usize..).unwrap_or_default();
        for (to, from) in reply.iter_mut().skip(CONFIG_DATA).zip(from) {
            *to = *from;
        }
        reply
    }

    /// SET_MEM_TABLE: the layout of the guest's memory. All regions are in the memory file, which is open
    /// already.
    fn set_memory(&mut self, message: &Message) -> io::Result<()> {
        let count = (message.word(0) as usize).min(8);
        let regions = (0..count).map(|n| 8 + 32 * n);
        let mut ranges = Vec::new();
        self.regions.clear();
        for at in regions {
            let (guest, size, qemu) =
                (message.long(at), message.long(at + 8), message.long(at + 16));
            let file = FileOffset::new(self.ram.try_clone()?, message.long(at + 24));
            let len = usize::try_from(size).map_err(io::Error::other)?;
            ranges.push((GuestAddress(guest), len, Some(file)));
            self.regions.push(Region { guest, size, qemu });
        }
        self.memory = GuestMemoryMmap::from_ranges_with_files(ranges).map_err(io::Error::other)?;
        Ok(())
    }

    /// SET_VRING_ADDR: descriptor table, used ring, available ring, as virtual addresses in QEMU.
    fn set_rings(&mut self, message: &Message) {
        let [descriptors, used, available] = [8, 16, 24].map(|at| {
            let address = message.long(at);
            let region = self.regions.iter().find(|region| {
                address.checked_sub(region.qemu).is_some_and(|offset| offset < region.size)
            });
            // An address outside all regions maps to an invalid one. The queue then returns an error when
            // it is served.
            let guest = region.map_or(!0xf, |r| address - r.qemu + r.guest);
            (Some(guest as u32), Some((guest >> 32) as u32))
        });
        self.queue.set_desc_table_address(descriptors.0, descriptors.1);
        self.queue.set_used_ring_address(used.0, used.1);
        self.queue.set_avail_ring_address(available.0, available.1);
    }

    fn start(&mut self) {
        self.queue.set_ready(true);
        if let Ok(used) = self.queue.used_idx(&self.memory, Ordering::Acquire) {
            self.queue.set_next_used(used.0);
        }
        self.started = true;
    }
}

fn file(message: &Message) -> Option<OwnedFd> {
    if message.long(0) & NO_FILE != 0 {
        return None;
    }
    message.files.first().and_then(|file| file.try_clone().ok())
}
