//! A front end that keeps a device under load.

use std::{
    hint::spin_loop,
    path::Path,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use vhost::vhost_user::VhostUserFrontend;
use vm_memory::{Bytes, GuestAddress};

use crate::{
    DEPTH, LUN_BYTES, READ_BYTES,
    front_end::{FrontEnd, REQUESTS},
    guest::{
        san::BLOCK,
        scsi::{Response, TEST_UNIT_READY, lun, read10, write10},
    },
};

const READS: u64 = LUN_BYTES / READ_BYTES as u64;
/// How often the front end polls the used ring before it sleeps.
const SPINS: u32 = 2000;
/// VIRTIO_SCSI_S_BAD_TARGET (virtio 1.2 5.6.6.1.4).
const BAD_TARGET: u8 = 3;

/// The kind of command to send repeatedly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Reads of 4 KiB at random positions of the LUN.
    Data,
    /// The same reads with a transfer length of zero blocks: the cost of a read without its data.
    NoData,
    /// The same reads to a target that does not exist: the cost of the rings and the notifications.
    Nowhere,
}

impl Ask {
    fn target(self) -> u8 {
        if self == Ask::Nowhere { 1 } else { 0 }
    }

    fn blocks(self) -> u16 {
        if self == Ask::NoData { 0 } else { (READ_BYTES / BLOCK) as u16 }
    }
}

/// The number of commands in a period.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) count: u64,
    pub(crate) time: Duration,
}

impl Rate {
    pub(crate) fn per_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// A pseudo-random number generator for LBAs.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        Dice(0x9E37_79B9_7F4A_7C15)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

pub(crate) struct Load {
    front: FrontEnd,
    dice: Dice,
    /// The number of the 4 KiB unit that each slot reads.
    reading: [u64; DEPTH as usize],
}

impl Load {
    /// Connects to a device and fills its LUN.
    pub(crate) fn new(socket: &Path) -> Self {
        let mut front = FrontEnd::connect(socket, REQUESTS + 1, 128, DEPTH);
        // A device without REPLY_ACK may not have enabled its queues yet, and would lose a kick.
        // Once it has answered a message, it has enabled them.
        front.frontend.get_queue_num().expect("it has queues");
        let parts = front.place(0).plain();
        while front.run(lun(0, 0), &TEST_UNIT_READY, &parts) != Response::GOOD {}
        let mut load = Load { front, dice: Dice::new(), reading: [0; DEPTH as usize] };
        load.fill();
        load
    }

    /// Writes the whole LUN. Each 4 KiB unit begins with its number.
    fn fill(&mut self) {
        const AT_ONCE: usize = 8;
        let place = self.front.place(0);
        let parts = place.writing(AT_ONCE * READ_BYTES);
        for first in (0..READS).step_by(AT_ONCE) {
            for n in 0..AT_ONCE {
                let at = GuestAddress(place.data() + (n * READ_BYTES) as u64);
                self.front.memory.write_obj(first + n as u64, at).expect("it is in memory");
            }
            let cdb = write10(block(first), (AT_ONCE * READ_BYTES / BLOCK) as u16);
            assert_eq!(self.front.run(lun(0, 0), &cdb, &parts), Response::GOOD);
        }
    }

    fn offer(&mut self, slot: u16, ask: Ask) {
        let number = self.dice.below(READS);
        self.reading[usize::from(slot)] = number;
        let place = self.front.place(slot);
        let cdb = read10(block(number), ask.blocks());
        place.command(&self.front.memory, lun(ask.target(), 0), u64::from(slot), &cdb);
        let ring = &mut self.front.queues[REQUESTS].ring;
        ring.offer(&self.front.memory, slot, &place.reading(READ_BYTES));
    }

    fn check(&self, slot: u16, ask: Ask) {
        let place = self.front.place(slot);
        let response = place.response(&self.front.memory);
        match ask {
            Ask::Data => {
                let at = GuestAddress(place.data());
                let read: u64 = self.front.memory.read_obj(at).expect("it is in memory");
                let expected = self.reading[usize::from(slot)];
                assert_eq!((response, read), (Response::GOOD, expected));
            }
            Ask::NoData => assert_eq!((response.code, response.status), (0, 0)),
            Ask::Nowhere => assert_eq!(response.code, BAD_TARGET),
        }
    }

    /// Returns the next used chain. Polls the used ring first, and then waits for an interrupt.
    fn next_used(&mut self) -> u16 {
        loop {
            for _ in 0..SPINS {
                if let Some((slot, _)) = self.front.take_used(REQUESTS) {
                    return slot;
                }
                spin_loop();
            }
            let queue = &self.front.queues[REQUESTS];
            if !queue.ring.ask_for_interrupt(&self.front.memory) {
                assert!(queue.wait_for_interrupt(), "an interrupt is lost");
            }
        }
    }

    /// Keeps `DEPTH` commands in flight for this long.
    pub(crate) fn run(&mut self, ask: Ask, time: Duration) -> Rate {
        let start = Instant::now();
        let mut count = 0;
        (0..DEPTH).for_each(|slot| self.offer(slot, ask));
        self.front.kick(REQUESTS);
        let mut under_way = DEPTH;
        while under_way > 0 {
            let mut slot = Some(self.next_used());
            let go_on = start.elapsed() < time;
            while let Some(done) = slot {
                self.check(done, ask);
                count += 1;
                if go_on {
                    self.offer(done, ask);
                } else {
                    under_way -= 1;
                }
                slot = self.front.take_used(REQUESTS).map(|(slot, _)| slot);
            }
            self.front.kick(REQUESTS);
        }
        Rate { count, time: start.elapsed() }
    }

    /// Measures single reads: the nanoseconds from making a read available to finding it used.
    pub(crate) fn latency(&mut self, time: Duration) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("three digits are possible");
        let end = Instant::now() + time;
        while Instant::now() < end {
            let start = Instant::now();
            self.offer(0, Ask::Data);
            self.front.kick(REQUESTS);
            let slot = self.next_used();
            histogram.record(start.elapsed().as_nanos() as u64).expect("it fits");
            self.check(slot, Ask::Data);
        }
        histogram
    }
}

fn block(number: u64) -> u32 {
    (number * (READ_BYTES / BLOCK) as u64) as u32
}

/// An upper bound: copies random blocks from one mapping to another.
pub(crate) struct Copies {
    source: Vec<u8>,
    target: Vec<u8>,
    dice: Dice,
}

impl Copies {
    pub(crate) fn new() -> Self {
        let source = (0..LUN_BYTES).map(|at| (at >> 12) as u8 | 1).collect();
        Copies { source, target: vec![1; usize::from(DEPTH) * READ_BYTES], dice: Dice::new() }
    }

    pub(crate) fn run(&mut self, time: Duration) -> Rate {
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < time {
            for place in self.target.chunks_exact_mut(READ_BYTES) {
                let at = self.dice.below(READS) as usize * READ_BYTES;
                place.copy_from_slice(std::hint::black_box(&self.source[at..at + READ_BYTES]));
                count += 1;
            }
            std::hint::black_box(&mut self.target);
        }
        Rate { count, time: start.elapsed() }
    }
}
