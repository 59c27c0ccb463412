//! A soak: random scenarios of the library in random numbers of jobs, sansim and its QEMUs killed at random
//! moments, on a cache disk that is too small for what they would keep there; a live lab with I/O goes on
//! beside. After every round nothing may be left but the cache, and no verdict may differ from
//! docs/library.md; at the end the lab must be as small as it was. Prints what it did and found; exits with
//! 1 if it found anything. One seed makes the same choices; what a kill hits is up to the host.

mod chance;
mod disk;
mod lab;
mod library;
#[path = "../../tests/browser/memory.rs"]
mod memory;
#[path = "../../tests/command/place.rs"]
#[allow(dead_code, reason = "the tests of the command use the rest of it")]
mod place;
mod plan;
mod room;
mod round;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;

use crate::{chance::Chance, lab::Lab, library::Library, plan::Plan, room::Room, round::Counts};

/// Random scenarios of the library, random kills.
#[derive(Parser)]
#[command(name = "ci/soak")]
struct Options {
    /// For how long rounds are begun, in minutes
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// The seed of all choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The most scenarios that a round runs at once
    #[arg(long, default_value_t = 3)]
    jobs: usize,
    /// The size of the cache disk, in MiB: a tmpfs, which only root can mount
    #[arg(long, default_value_t = 1200)]
    disk: u64,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let room = Room::new(options.disk);
    let library = Library::read();
    let mut chance = Chance::new(options.seed);
    let mut counts = Counts::default();
    println!("seed {}, {} minutes, {}", options.seed, options.minutes, room.disk);

    let empty = room.all();
    let mut lab = Lab::up(&room);
    let at_first = room.all();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs_f64(options.minutes * 60.0) {
        let plan = Plan::draw(&mut chance, &library, options.jobs);
        println!("{:>5.0} s  {plan}", began.elapsed().as_secs_f64());
        counts.add(&plan, round::run(&room, &library, &plan, &at_first));
        lab.look();
    }
    // What a killed sansim could not remove, the next one removes.
    let last = Plan::draw(&mut chance, &library, 1).unharmed();
    counts.add(&last, round::run(&room, &library, &last, &at_first));
    counts.found(lab.down());
    counts.found(room.left(&empty));
    println!("{counts}");
    println!("{}; {} MiB of it are in use", room.disk, room.disk.used_mib());
    if counts.all_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
