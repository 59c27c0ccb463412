//! A vhost-user front end without a virtual machine: guest memory, virtqueues and eventfds.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each user takes what it needs")]

use std::{fs::File, os::fd::AsRawFd, path::Path, sync::Arc, time::Duration};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use vhost::{
    VhostBackend, VhostUserDirtyLogRegion, VhostUserMemoryRegionInfo, VringConfigData,
    vhost_user::{
        Frontend, VhostUserFrontend,
        message::{VhostUserHeaderFlag, VhostUserProtocolFeatures, VhostUserVirtioFeatures},
    },
};
use vm_memory::{Bytes, FileOffset, GuestAddress, GuestMemoryMmap};
use vmm_sys_util::{
    epoll::{ControlOperation, Epoll, EpollEvent, EventSet},
    eventfd::{EFD_NONBLOCK, EventFd},
};

use crate::guest::{
    ring::{Part, Ring},
    scsi::Place,
};

pub type Memory = GuestMemoryMmap<()>;

/// The guest-physical base address. The front end's user address of the same memory differs, so the
/// device must translate between them.
pub const GUEST_BASE: u64 = 0x1000_0000;
const USER_BASE: u64 = 0x7000_0000_0000;
pub const PAGE: u64 = 4096;
const QUEUE_BYTES: u64 = 0x10000;

pub const CONTROL: usize = 0;
pub const EVENTS: usize = 1;
pub const REQUESTS: usize = 2;

/// The timeout for everything that is expected to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether a page is marked as dirty in the log.
pub fn is_logged(log: &Memory, address: u64) -> bool {
    let page = address / PAGE;
    let byte: u8 = log.read_obj(GuestAddress(GUEST_BASE + page / 8)).expect("the log covers it");
    byte & 1 << (page % 8) != 0
}

pub struct Queue {
    pub ring: Ring,
    pub kick: EventFd,
    pub call: EventFd,
    interrupts: Epoll,
}

impl Queue {
    fn new(ring: Ring) -> Self {
        let eventfd = || EventFd::new(EFD_NONBLOCK).expect("an eventfd");
        let (kick, call) = (eventfd(), eventfd());
        let interrupts = Epoll::new().expect("an epoll instance");
        interrupts
            .ctl(ControlOperation::Add, call.as_raw_fd(), EpollEvent::new(EventSet::IN, 0))
            .expect("the eventfd is new");
        Queue { ring, kick, call, interrupts }
    }

    /// Waits for an interrupt, with a timeout. Returns whether it arrived.
    pub fn wait_for_interrupt(&self) -> bool {
        let patience = PATIENCE.as_millis() as i32;
        let waited = self.interrupts.wait(patience, &mut [EpollEvent::default()]);
        let _ = self.call.read();
        waited.is_ok_and(|events| events > 0)
    }
}

/// A connected front end.
pub struct FrontEnd {
    pub frontend: Frontend,
    pub memory: Memory,
    pub queues: Vec<Queue>,
    places: u64,
    region: VhostUserMemoryRegionInfo,
    _file: Arc<File>,
}

/// The features that a Linux guest under QEMU acknowledges.
pub fn usual_features(offered: u64) -> u64 {
    offered & !VhostUserVirtioFeatures::LOG_ALL.bits()
}

impl FrontEnd {
    /// Connects, negotiates the features, and shares memory for the queues and for `places`
    /// requests.
    pub fn connect(socket: &Path, queue_count: usize, queue_size: u16, places: u16) -> FrontEnd {
        let mut frontend = Frontend::connect(socket, queue_count as u64).expect("it listens");
        frontend.set_owner().expect("it is free");
        let features = usual_features(frontend.get_features().expect("it has features"));
        let protocol = frontend.get_protocol_features().expect("it has protocol features");
        frontend.set_protocol_features(protocol).expect("they were offered");
        frontend.set_hdr_flags(VhostUserHeaderFlag::NEED_REPLY);
        if protocol.contains(VhostUserProtocolFeatures::MQ) {
            assert_eq!(frontend.get_queue_num().expect("it has queues"), queue_count as u64);
        }
        frontend.set_features(features).expect("they were offered");

        let places_base = GUEST_BASE + queue_count as u64 * QUEUE_BYTES;
        let bytes = queue_count as u64 * QUEUE_BYTES + u64::from(places) * Place::BYTES;
        let (file, memory) = shared_memory(bytes);
        let region = VhostUserMemoryRegionInfo {
            guest_phys_addr: GUEST_BASE,
            memory_size: bytes,
            userspace_addr: USER_BASE,
            mmap_offset: 0,
            mmap_handle: file.as_raw_fd(),
        };
        let queues = (0..queue_count)
            .map(|index| GUEST_BASE + index as u64 * QUEUE_BYTES)
            .map(|base| Queue::new(Ring::new(base, queue_size, true)))
            .collect();
        let mut this =
            FrontEnd { frontend, memory, queues, places: places_base, region, _file: file };
        this.share_memory();
        for index in 0..queue_count {
            this.start_queue(index, 0);
        }
        this
    }

    pub fn share_memory(&self) {
        self.frontend.set_mem_table(&[self.region]).expect("the memory can be mapped");
    }

    /// Enables dirty logging for the pages that the device writes. Returns the log, which has a bit
    /// for each page.
    pub fn log_writes(&self) -> Memory {
        let pages = (GUEST_BASE + self.region.memory_size).div_ceil(PAGE);
        let bytes = pages.div_ceil(8).next_multiple_of(PAGE);
        let (file, log) = shared_memory(bytes);
        let region = VhostUserDirtyLogRegion {
            mmap_size: bytes,
            mmap_offset: 0,
            mmap_handle: file.as_raw_fd(),
        };
        self.frontend.set_log_base(0, Some(region)).expect("the log can be mapped");
        log
    }

    /// Starts a virtqueue whose next available index is `base`.
    pub fn start_queue(&mut self, index: usize, base: u16) {
        let Queue { ring, kick, call, .. } = &self.queues[index];
        let user = |address: u64| address - GUEST_BASE + USER_BASE;
        let config = VringConfigData {
            queue_max_size: ring.size,
            queue_size: ring.size,
            flags: 0,
            desc_table_addr: user(ring.descriptors),
            used_ring_addr: user(ring.used),
            avail_ring_addr: user(ring.available),
            log_addr: None,
        };
        self.frontend.set_vring_num(index, ring.size).expect("the size is possible");
        self.frontend.set_vring_base(index, base).expect("the queue is there");
        self.frontend.set_vring_addr(index, &config).expect("the ring is in memory");
        self.frontend.set_vring_call(index, call).expect("the queue is there");
        self.frontend.set_vring_kick(index, kick).expect("the queue is there");
        self.frontend.set_vring_enable(index, true).expect("the queue is there");
    }

    pub fn place(&self, slot: u16) -> Place {
        Place { base: self.places + u64::from(slot) * Place::BYTES }
    }

    /// Offers a chain, and kicks if the device wants it.
    pub fn offer(&mut self, queue: usize, slot: u16, parts: &[Part]) {
        self.queues[queue].ring.offer(&self.memory, slot, parts);
        self.kick(queue);
    }

    pub fn kick(&mut self, queue: usize) {
        let queue = &mut self.queues[queue];
        if queue.ring.kick_wanted(&self.memory) {
            queue.kick.write(1).expect("the device reads it");
        }
    }

    pub fn take_used(&mut self, queue: usize) -> Option<(u16, u32)> {
        self.queues[queue].ring.take_used(&self.memory)
    }

    /// Waits until a chain is used, without missing an interrupt.
    pub fn wait_used(&mut self, queue: usize) -> (u16, u32) {
        loop {
            if let Some(used) = self.take_used(queue) {
                return used;
            }
            let queue = &self.queues[queue];
            if !queue.ring.ask_for_interrupt(&self.memory) {
                assert!(queue.wait_for_interrupt(), "nothing is used, or an interrupt is lost");
            }
        }
    }

    /// Runs one command and returns its response.
    pub fn run(
        &mut self,
        lun: [u8; 8],
        cdb: &[u8],
        parts: &[Part],
    ) -> crate::guest::scsi::Response {
        let place = self.place(0);
        place.command(&self.memory, lun, 0, cdb);
        self.offer(REQUESTS, 0, parts);
        let (slot, _) = self.wait_used(REQUESTS);
        assert_eq!(slot, 0);
        place.response(&self.memory)
    }
}

/// Allocates memory that can be shared through a file descriptor.
fn shared_memory(bytes: u64) -> (Arc<File>, Memory) {
    let file = memfd_create("guest-memory", MemfdFlags::CLOEXEC).expect("a memfd");
    ftruncate(&file, bytes).expect("so little memory is there");
    let file = FileOffset::new(File::from(file), 0);
    let range = (GuestAddress(GUEST_BASE), bytes as usize, Some(file.clone()));
    let memory = Memory::from_ranges_with_files([range]).expect("it can be mapped");
    (Arc::clone(file.arc()), memory)
}
