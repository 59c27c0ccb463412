//! The speed of the HBA, as a vhost-user front end without a virtual machine sees it: random reads
//! of 4 KiB.
//!
//! `cargo bench -p sansim-hba` prints
//!
//! - reads per second at queue depth 32, compared with vhost-device-scsi and with upper bounds: the
//!   same loop with an array that answers without data, the same loop without an array, and copying
//!   the same blocks from a memory mapping,
//! - the same with 20 fault rules, none of which matches,
//! - the CPU time that a read takes in the server process, which depends least on the other load of
//!   the host,
//! - the latency at queue depth 1, compared with vhost-device-scsi,
//!
//! and fails if a read allocates memory. Each device is served by a separate process. The devices
//! take turns in short slices, so that other load of the host affects all of them. A ratio is the
//! median of the ratios of all rounds.
//!
//! `VHOST_DEVICE_SCSI` names the reference program (`ci/bench` installs it); without it, the
//! comparisons with it are omitted. The same blocks are written to both through the front end.
//! vhost-device-scsi stores them in an image file, which stays in the page cache; sansim stores
//! them in memory, like all its LUNs.

#[path = "../tests/front_end/mod.rs"]
mod front_end;
#[path = "../tests/guest/mod.rs"]
mod guest;
#[path = "frontend/load.rs"]
mod load;
#[path = "frontend/served.rs"]
mod served;

use std::{alloc::System, path::Path, time::Duration};

use load::{Ask, Copies, Load};
use served::{Rules, Served};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LUN_BYTES: u64 = 256 << 20;
const READ_BYTES: usize = 4096;
const DEPTH: u16 = 32;
const ROUNDS: usize = 12;
const SLICE: Duration = Duration::from_millis(200);

fn main() {
    if served::serve_if_asked() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let sansim = Device::new(Served::sansim(dir.path(), Rules::Plain).expect("it can be served"));
    let ruled = Device::new(Served::sansim(dir.path(), Rules::Idle).expect("it can be served"));
    let reference = Served::reference(dir.path()).expect("it can be served").map(Device::new);
    if reference.is_none() {
        println!("VHOST_DEVICE_SCSI names no program: the comparison with it is left out");
    }
    let mut bench = Bench { sansim, ruled, reference };
    bench.throughput();
    bench.latency();
    allocations(dir.path());
}

/// A device with the front end that puts it under load.
struct Device {
    load: Load,
    served: Served,
}

impl Device {
    fn new(served: Served) -> Device {
        Device { load: Load::new(&served.socket), served }
    }

    /// Runs for one time slice and returns the commands per second.
    fn per_second(&mut self, ask: Ask) -> f64 {
        self.load.run(ask, SLICE).per_second()
    }

    /// Measures reads per second, and the CPU time in nanoseconds that the server process needs for
    /// each read.
    fn reads(&mut self, per_second: &mut Rounds, processor: &mut Rounds) {
        let time = |served: &Served| served.processor_time().expect("the process is there");
        let before = time(&self.served);
        let rate = self.load.run(Ask::Data, SLICE);
        let taken = time(&self.served) - before;
        per_second.push(rate.per_second());
        processor.push(taken.as_nanos() as f64 / rate.count as f64);
    }
}

/// The values of one measurement, one for each round.
#[derive(Default)]
struct Rounds(Vec<f64>);

impl Rounds {
    fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn median(&self) -> f64 {
        self.sorted().get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The ratio to `other` in each round.
    fn ratio(&self, other: &Rounds) -> Rounds {
        Rounds(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }

    /// The median and the interquartile range.
    fn spread(&self) -> String {
        let sorted = self.sorted();
        let [low, middle, high] =
            [1, 2, 3].map(|quarter| sorted[(sorted.len() * quarter / 4).min(sorted.len() - 1)]);
        format!("{middle:.2} ({low:.2} to {high:.2})")
    }
}

struct Bench {
    sansim: Device,
    ruled: Device,
    reference: Option<Device>,
}

impl Bench {
    fn throughput(&mut self) {
        let mut copies = Copies::new();
        let [mut data, mut idle_rules, mut reference] = <[Rounds; 3]>::default();
        let [mut data_cpu, mut idle_rules_cpu, mut reference_cpu] = <[Rounds; 3]>::default();
        let [mut no_data, mut nowhere, mut copied] = <[Rounds; 3]>::default();
        for _ in 0..ROUNDS {
            self.sansim.reads(&mut data, &mut data_cpu);
            self.ruled.reads(&mut idle_rules, &mut idle_rules_cpu);
            if let Some(device) = &mut self.reference {
                device.reads(&mut reference, &mut reference_cpu);
            }
            no_data.push(self.sansim.per_second(Ask::NoData));
            nowhere.push(self.sansim.per_second(Ask::Nowhere));
            copied.push(copies.run(SLICE).per_second());
        }
        println!("4 KiB random reads a second at queue depth {DEPTH}: {:.0}", data.median());
        let line = |name: &str, rounds: &Rounds, ratio: String| {
            println!("  {name:<34}{:>10.0}   {ratio}", rounds.median());
        };
        let reach = |bound: &Rounds| format!("reads: {} of it", data.ratio(bound).spread());
        if self.reference.is_some() {
            let ratio = data.ratio(&reference);
            line(
                "vhost-device-scsi",
                &reference,
                format!("reads: {} times as many", ratio.spread()),
            );
        }
        line("commands without data", &no_data, reach(&no_data));
        line("no target (rings only)", &nowhere, reach(&nowhere));
        line("plain copies, no queue", &copied, reach(&copied));
        let share = idle_rules.ratio(&data).spread();
        line("with 20 idle fault rules", &idle_rules, format!("{share} of those without"));
        println!(
            "processor time per read, of the process that serves: {:.0} ns",
            data_cpu.median()
        );
        if self.reference.is_some() {
            let ratio = reference_cpu.ratio(&data_cpu).spread();
            line("vhost-device-scsi", &reference_cpu, format!("{ratio} times as much"));
        }
        let ratio = idle_rules_cpu.ratio(&data_cpu).spread();
        line("with 20 idle fault rules", &idle_rules_cpu, format!("{ratio} times as much"));
    }

    fn latency(&mut self) {
        let measure = |device: &mut Device, [p50, p99]: &mut [Rounds; 2]| {
            let histogram = device.load.latency(SLICE);
            p50.push(histogram.value_at_quantile(0.5) as f64 / 1000.0);
            p99.push(histogram.value_at_quantile(0.99) as f64 / 1000.0);
        };
        let [mut sansim, mut reference] = <[[Rounds; 2]; 2]>::default();
        for _ in 0..ROUNDS {
            measure(&mut self.sansim, &mut sansim);
            if let Some(device) = &mut self.reference {
                measure(device, &mut reference);
            }
        }
        let line = |name: &str, [p50, p99]: &[Rounds; 2]| {
            println!("  {name:<34}p50 {:.1} us, p99 {:.1} us", p50.median(), p99.median());
        };
        println!("queue depth 1:");
        line("sansim", &sansim);
        if self.reference.is_some() {
            line("vhost-device-scsi", &reference);
            let [p50, p99] = [0, 1].map(|at| sansim[at].ratio(&reference[at]).spread());
            println!("  {:<34}p50 {p50}, p99 {p99}", "sansim / vhost-device-scsi");
        }
    }
}

/// Counts the heap allocations and the interrupts per read, with a server in this process.
fn allocations(dir: &Path) {
    let server = served::serve(&dir.join("here"), Rules::Idle);
    let mut load = Load::new(server.socket());
    load.run(Ask::Data, SLICE);
    let before = server.statistics();
    let region = Region::new(ALLOCATOR);
    let reads = load.run(Ask::Data, SLICE).count;
    let allocations = region.change().allocations;
    let interrupts = server.statistics().notifications - before.notifications;
    let per_read = |count: f64| count / reads as f64;
    println!("interrupts per read: {:.3}", per_read(interrupts as f64));
    println!("heap allocations per read: {:.6}", per_read(allocations as f64));
    assert!(per_read(allocations as f64) < 0.001, "a read allocates memory");
}
