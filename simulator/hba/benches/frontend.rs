//! How fast the HBA is, seen from a vhost-user front end without a machine: random reads of 4 KiB.
//!
//! `cargo bench -p sansim-hba` prints
//!
//! - reads per second at queue depth 32, against the same requests to a target that is not there
//!   (rings and wake-ups, neither array nor data) and against copying the same blocks from a mapping,
//! - the same with 20 fault rules, none of which matches,
//! - the latency at queue depth 1,
//!
//! and fails if a read allocates memory. The two sides take turns in short slices, so that whatever
//! else the machine does meets both.

#[path = "../tests/front_end/mod.rs"]
mod front_end;
#[path = "../tests/guest/mod.rs"]
mod guest;

use std::{
    alloc::System,
    hint::{black_box, spin_loop},
    time::{Duration, Instant},
};

use front_end::{FrontEnd, REQUESTS};
use guest::{
    san::{self, BLOCK},
    scsi::{Response, TEST_UNIT_READY, lun, read10, write10},
};
use hdrhistogram::Histogram;
use sansim_array::{FaultRule, HbaId, Lun, Then};
use sansim_hba::{HbaConfig, HbaServer, RealClock};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vm_memory::{Bytes, GuestAddress};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LUN_BYTES: u64 = 256 << 20;
const READ_BYTES: usize = 4096;
const READS: u64 = LUN_BYTES / READ_BYTES as u64;
const DEPTH: u16 = 32;
const SLICE: Duration = Duration::from_millis(400);
const SLICES: u32 = 4;
const LATENCY_TIME: Duration = Duration::from_millis(1500);
/// How often the used ring is looked at before the front end sleeps.
const SPINS: u32 = 2000;

/// Target 0 has the LUN, and there is no target 1.
const THERE: u8 = 0;
const NOWHERE: u8 = 1;

fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = |name: &str, faults| {
        let array = san::array(LUN_BYTES, faults);
        let config = HbaConfig { id: san::HBA, targets: vec![san::port_a()], request_queues: 1 };
        HbaServer::start(config, array, RealClock::start(), &dir.path().join(name)).expect("free")
    };
    let (plain, ruled) = (start("plain", vec![]), start("ruled", rules()));
    let mut load = Load::new(&plain);
    let mut ruled_load = Load::new(&ruled);
    load.fill();
    ruled_load.fill();

    let [mut reads, mut ring_only, mut with_rules] = [Rate::default(); 3];
    let before = plain.statistics();
    let mut allocations = 0;
    for _ in 0..SLICES {
        let region = Region::new(ALLOCATOR);
        reads += load.run(THERE, SLICE);
        allocations += region.change().allocations;
        ring_only += load.run(NOWHERE, SLICE);
        with_rules += ruled_load.run(THERE, SLICE);
    }
    let after = plain.statistics();
    let copies = copy_blocks(SLICE * SLICES);
    let latency = load.latency(THERE, LATENCY_TIME);

    let per_second = |rate: Rate| rate.per_second();
    println!("4 KiB random reads, queue depth {DEPTH}: {:.0} per second", per_second(reads));
    println!(
        "  no target (rings only):  {:.0} per second; reads reach {:.0} % of it",
        per_second(ring_only),
        100.0 * per_second(reads) / per_second(ring_only)
    );
    println!(
        "  plain copies of 4 KiB:   {:.0} per second; reads reach {:.0} % of it",
        per_second(copies),
        100.0 * per_second(reads) / per_second(copies)
    );
    println!(
        "  with 20 idle rules:      {:.0} per second, {:.0} % of those without",
        per_second(with_rules),
        100.0 * per_second(with_rules) / per_second(reads)
    );
    println!(
        "  interrupts per command:  {:.3}",
        (after.notifications - before.notifications) as f64
            / (after.commands - before.commands) as f64
    );
    println!(
        "queue depth 1: p50 {:.1} us, p99 {:.1} us, p99.9 {:.1} us over {} reads",
        latency.value_at_quantile(0.5) as f64 / 1000.0,
        latency.value_at_quantile(0.99) as f64 / 1000.0,
        latency.value_at_quantile(0.999) as f64 / 1000.0,
        latency.len()
    );
    let per_read = allocations as f64 / reads.count as f64;
    println!("allocations per read: {per_read:.6} ({allocations} in {} reads)", reads.count);
    assert!(per_read < 0.001, "a read allocates memory");
}

/// Rules that are looked at and never match.
fn rules() -> Vec<FaultRule> {
    let answer = Then { delay: Some(Duration::from_secs(1)), ..Then::default() };
    (0..20u16)
        .map(|n| {
            let op = if n % 2 == 0 { "READ" } else { "MODE SELECT" };
            let mut rule = san::rule(&format!("rule {n}"), op, answer.clone());
            match n % 4 {
                0 => rule.when.lun = Some(Lun(100 + n)),
                1 => rule.when.port = Some(san::port_b()),
                2 => rule.when.blocks = Some(u64::MAX - 1..=u64::MAX),
                _ => rule.when.hba = Some(HbaId(9)),
            }
            rule
        })
        .collect()
}

/// So many in so long.
#[derive(Clone, Copy, Default)]
struct Rate {
    count: u64,
    time: Duration,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

impl std::ops::AddAssign for Rate {
    fn add_assign(&mut self, other: Rate) {
        self.count += other.count;
        self.time += other.time;
    }
}

/// Numbers that look random enough for addresses.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A front end that keeps the HBA busy.
struct Load {
    front: FrontEnd,
    dice: Dice,
    /// Which read each slot is waiting for.
    reading: [u64; DEPTH as usize],
}

impl Load {
    fn new(server: &HbaServer) -> Self {
        let mut front = FrontEnd::connect(server.socket(), REQUESTS + 1, 128, DEPTH);
        let parts = front.place(0).plain();
        while front.run(lun(THERE, 0), &TEST_UNIT_READY, &parts) != Response::GOOD {}
        Load { front, dice: Dice(0x9E37_79B9_7F4A_7C15), reading: [0; DEPTH as usize] }
    }

    /// Writes the whole LUN, the number of each 4 KiB at their beginning.
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
            assert_eq!(self.front.run(lun(THERE, 0), &cdb, &parts), Response::GOOD);
        }
    }

    fn offer(&mut self, slot: u16, target: u8) {
        let number = self.dice.below(READS);
        self.reading[usize::from(slot)] = number;
        let place = self.front.place(slot);
        let cdb = read10(block(number), (READ_BYTES / BLOCK) as u16);
        place.command(&self.front.memory, lun(target, 0), u64::from(slot), &cdb);
        let ring = &mut self.front.queues[REQUESTS].ring;
        ring.offer(&self.front.memory, slot, &place.reading(READ_BYTES));
    }

    fn check(&self, slot: u16, target: u8) {
        let place = self.front.place(slot);
        let code = place.response(&self.front.memory).code;
        if target == THERE {
            let at = GuestAddress(place.data());
            let read: u64 = self.front.memory.read_obj(at).expect("it is in memory");
            assert_eq!((code, read), (0, self.reading[usize::from(slot)]));
        } else {
            assert_eq!(code, 3);
        }
    }

    /// The next used chain: looked for a while, then waited for.
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

    /// Keeps `DEPTH` reads under way for a time.
    fn run(&mut self, target: u8, time: Duration) -> Rate {
        let start = Instant::now();
        let mut count = 0;
        (0..DEPTH).for_each(|slot| self.offer(slot, target));
        self.front.kick(REQUESTS);
        let mut under_way = DEPTH;
        while under_way > 0 {
            let mut slot = Some(self.next_used());
            let go_on = start.elapsed() < time;
            while let Some(done) = slot {
                self.check(done, target);
                count += 1;
                if go_on {
                    self.offer(done, target);
                } else {
                    under_way -= 1;
                }
                slot = self.front.take_used(REQUESTS).map(|(slot, _)| slot);
            }
            self.front.kick(REQUESTS);
        }
        Rate { count, time: start.elapsed() }
    }

    /// One read at a time: nanoseconds from offering it to finding it used.
    fn latency(&mut self, target: u8, time: Duration) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("three digits are possible");
        let end = Instant::now() + time;
        while Instant::now() < end {
            let start = Instant::now();
            self.offer(0, target);
            self.front.kick(REQUESTS);
            let slot = self.next_used();
            histogram.record(start.elapsed().as_nanos() as u64).expect("it fits");
            self.check(slot, target);
        }
        histogram
    }
}

fn block(number: u64) -> u32 {
    (number * (READ_BYTES / BLOCK) as u64) as u32
}

/// The least that could be done: random blocks copied from one mapping to another.
fn copy_blocks(time: Duration) -> Rate {
    let source: Vec<u8> = (0..LUN_BYTES).map(|at| (at >> 12) as u8 | 1).collect();
    let mut target = vec![1u8; usize::from(DEPTH) * READ_BYTES];
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        for place in target.chunks_exact_mut(READ_BYTES) {
            let at = dice.below(READS) as usize * READ_BYTES;
            place.copy_from_slice(black_box(&source[at..at + READ_BYTES]));
            count += 1;
        }
        black_box(&mut target);
    }
    Rate { count, time: start.elapsed() }
}
