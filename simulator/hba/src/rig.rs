//! A guest with one HBA, without a transport, for the tests of this crate.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sansim_array::{Array, FaultRule};
use virtio_queue::{Queue, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use crate::{
    config::HbaConfig,
    device::Device,
    guest::{
        ring::{Part, Ring, readable, writable},
        san::{self, ManualClock},
        scsi::{Place, Response, lun},
    },
    malformed::Malformed,
    ring::{self, Progress, Used},
    statistics::{Counters, Statistics},
    wire::{CONTROL_QUEUE, EVENT_QUEUE, FEATURES, FIRST_REQUEST_QUEUE},
};

pub(crate) type Memory = GuestMemoryMmap<()>;

const MEMORY: u64 = 4 << 20;
const QUEUE_SIZE: u16 = 64;
const REQUEST_QUEUES: u16 = 2;
const QUEUE_BYTES: u64 = 0x4000;
/// The address of the memory for requests, after the virtqueues.
const PLACES: u64 = 1 << 20;

/// A virtqueue, as the driver and as the device see it.
pub(crate) struct Both {
    pub(crate) guest: Ring,
    pub(crate) device: Queue,
}

pub(crate) struct Rig {
    pub(crate) memory: Memory,
    pub(crate) queues: Vec<Both>,
    pub(crate) device: Device,
    pub(crate) array: Arc<Array>,
    pub(crate) clock: Arc<ManualClock>,
    counters: Arc<Counters>,
    bells: Arc<AtomicUsize>,
}

impl Rig {
    /// Creates a guest with two request queues, targets 0 and 1 on controllers A and B, and LUN 0
    /// with 1 MiB, owned by A.
    pub(crate) fn new(faults: Vec<FaultRule>) -> Self {
        let memory = Memory::from_ranges(&[(GuestAddress(0), MEMORY as usize)])
            .expect("so little memory is there");
        let queues = (0..FIRST_REQUEST_QUEUE + REQUEST_QUEUES).map(|index| both(index, true));
        let config = HbaConfig {
            id: san::HBA,
            targets: vec![san::port_a(), san::port_b()],
            request_queues: REQUEST_QUEUES,
        };
        let array = san::array(1 << 20, faults);
        let clock = Arc::new(ManualClock::default());
        let counters = Arc::new(Counters::default());
        let bells = Arc::new(AtomicUsize::new(0));
        let doorbell: crate::alarm::Doorbell = {
            let bells = Arc::clone(&bells);
            Arc::new(move || {
                bells.fetch_add(1, Ordering::SeqCst);
            })
        };
        array.attach(san::HBA, Arc::clone(&doorbell));
        let mut device = Device::new(
            &config,
            Arc::clone(&array),
            Arc::clone(&clock) as _,
            Arc::clone(&counters),
            doorbell,
            None,
        );
        device.set_features(FEATURES);
        Rig { memory, queues: queues.collect(), device, array, clock, counters, bells }
    }

    /// The memory for the request in a slot.
    pub(crate) fn place(&self, slot: u16) -> Place {
        let base = PLACES + u64::from(slot) * Place::BYTES;
        assert!(base + Place::BYTES <= MEMORY);
        Place { base }
    }

    /// Makes a command to target 0, LUN 0 available on the first request queue.
    pub(crate) fn offer(&mut self, slot: u16, cdb: &[u8], parts: &[Part]) {
        self.offer_to(FIRST_REQUEST_QUEUE, slot, lun(0, 0), cdb, parts);
    }

    pub(crate) fn offer_to(
        &mut self,
        queue: u16,
        slot: u16,
        lun: [u8; 8],
        cdb: &[u8],
        parts: &[Part],
    ) {
        self.place(slot).command(&self.memory, lun, u64::from(slot), cdb);
        self.queue(queue).offer_parts(slot, parts);
    }

    pub(crate) fn queue(&mut self, index: u16) -> QueueOf<'_> {
        QueueOf { both: &mut self.queues[usize::from(index)], memory: &self.memory }
    }

    /// Makes the device serve a request queue until it is empty.
    pub(crate) fn serve(&mut self, queue: u16) -> Result<(), Malformed> {
        let ring = &mut self.queues[usize::from(queue)].device;
        while self.device.serve_requests(queue, ring, &self.memory, ring::Kicks::Wanted)?
            == Progress::More
        {}
        Ok(())
    }

    /// Makes a command available on the first request queue and makes the device serve it. Returns
    /// the used length and the response.
    pub(crate) fn run(&mut self, lun: [u8; 8], cdb: &[u8], parts: &[Part]) -> (u32, Response) {
        self.offer_to(FIRST_REQUEST_QUEUE, 0, lun, cdb, parts);
        self.serve(FIRST_REQUEST_QUEUE).expect("the ring is sound");
        let used = self.queue(FIRST_REQUEST_QUEUE).take_used();
        let (slot, len) = used.expect("the command is answered at once");
        assert_eq!(slot, 0);
        (len, self.place(0).response(&self.memory))
    }

    /// Takes the pending unit attentions of the nexuses.
    pub(crate) fn settle(mut self) -> Self {
        for target in 0..2 {
            for _ in 0..4 {
                let parts = self.place(0).plain();
                self.run(lun(target, 0), &crate::guest::scsi::TEST_UNIT_READY, &parts);
            }
        }
        self
    }

    /// Makes the device serve the control queue. Returns the used chains in order, as queue and
    /// slot.
    pub(crate) fn serve_control(&mut self) -> Vec<(u16, u16)> {
        self.try_serve_control().expect("the ring is sound")
    }

    pub(crate) fn try_serve_control(&mut self) -> Result<Vec<(u16, u16)>, Malformed> {
        let mut order = Vec::new();
        let (control, others) = self.queues.split_at_mut(1);
        let control = &mut control[0].device;
        let (device, memory) = (&mut self.device, &self.memory);
        let progress = ring::drain(control, memory, ring::Kicks::Wanted, 100, |descriptors| {
            let slot = descriptors.head_index() / crate::guest::ring::SLOT_DESCRIPTORS;
            let mut used = Vec::new();
            let len = device.serve_control(descriptors, memory, &mut used);
            for chain in used {
                order.push((chain.queue, chain.head / crate::guest::ring::SLOT_DESCRIPTORS));
                let ring = &mut others[usize::from(chain.queue) - 1].device;
                // An invalid ring of another queue does not affect this one.
                let _ = ring::add_used(ring, memory, chain.head, chain.len);
            }
            order.extend(len.map(|_| (CONTROL_QUEUE, slot)));
            len
        });
        progress.map(|_| order)
    }

    /// Sends a control request. Returns `answer_len` bytes of the response, and the used length.
    pub(crate) fn control(&mut self, request: &[u8], answer_len: usize) -> (Vec<u8>, u32) {
        let place = self.place(9);
        self.memory.write_slice(request, GuestAddress(place.base)).expect("it is in memory");
        place.put_data(&self.memory, &[0xEE; 16]);
        let parts = [readable(place.base, request.len()), writable(place.data(), answer_len)];
        self.queue(CONTROL_QUEUE).offer_parts(9, &parts);
        self.serve_control();
        let (slot, len) = self.queue(CONTROL_QUEUE).take_used().expect("it is answered");
        assert_eq!(slot, 9);
        (place.take_data(&self.memory, answer_len), len)
    }

    /// Makes the device act on the array's notices, if the doorbell rang.
    pub(crate) fn attend(&mut self) {
        if self.bells.swap(0, Ordering::SeqCst) == 0 {
            return;
        }
        let mut used = Vec::new();
        self.device.attend(&self.memory, &mut used);
        self.give_back_what_fits(used);
    }

    pub(crate) fn give_back(&mut self, used: Vec<Used>) {
        assert_eq!(self.give_back_what_fits(used), 0, "the ring is sound");
    }

    /// Returns the number of chains that cannot be put into their used ring.
    pub(crate) fn give_back_what_fits(&mut self, used: Vec<Used>) -> usize {
        let added = used.into_iter().map(|chain| {
            let ring = &mut self.queues[usize::from(chain.queue)].device;
            ring::add_used(ring, &self.memory, chain.head, chain.len)
        });
        added.filter(Result::is_err).count()
    }

    /// Sets up the virtqueues again, as the guest does after a reset.
    pub(crate) fn fresh_rings(&mut self) {
        let count = self.queues.len() as u16;
        self.memory
            .write_slice(&vec![0; usize::from(count) * QUEUE_BYTES as usize], GuestAddress(0))
            .expect("it is in memory");
        self.queues = (0..count).map(|index| both(index, true)).collect();
    }

    /// Makes the device deliver its events.
    pub(crate) fn serve_events(&mut self) -> Result<(), Malformed> {
        let ring = &mut self.queues[usize::from(EVENT_QUEUE)].device;
        self.device.serve_events(ring, &self.memory)
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.counters.statistics()
    }
}

/// A virtqueue and its memory.
pub(crate) struct QueueOf<'a> {
    both: &'a mut Both,
    memory: &'a Memory,
}

impl QueueOf<'_> {
    pub(crate) fn offer_parts(&mut self, slot: u16, parts: &[Part]) {
        self.both.guest.offer(self.memory, slot, parts);
    }

    pub(crate) fn take_used(&mut self) -> Option<(u16, u32)> {
        self.both.guest.take_used(self.memory)
    }

    /// The slots of all used chains.
    pub(crate) fn used_slots(&mut self) -> Vec<u16> {
        std::iter::from_fn(|| self.take_used()).map(|(slot, _)| slot).collect()
    }
}

pub(crate) fn both(index: u16, event_idx: bool) -> Both {
    let guest = Ring::new(u64::from(index) * QUEUE_BYTES, QUEUE_SIZE, event_idx);
    assert!(guest.end() < u64::from(index + 1) * QUEUE_BYTES);
    let mut device = Queue::new(QUEUE_SIZE).expect("the size is a power of two");
    device.try_set_desc_table_address(GuestAddress(guest.descriptors)).expect("it is aligned");
    device.try_set_avail_ring_address(GuestAddress(guest.available)).expect("it is aligned");
    device.try_set_used_ring_address(GuestAddress(guest.used)).expect("it is aligned");
    device.set_event_idx(event_idx);
    device.set_ready(true);
    Both { guest, device }
}
