//! Measures how many stories a second `sansim explore` tells, with the kernel's blocks as a guide and without, beside
//! `sansim run` of the same stories: a base scenario of 30 simulated seconds with 10 I/Os a second, two at a time,
//! each from the checkpoint of t = 0. Prints medians and ratios, asserts only that all ends well.

use std::{fs, path::Path, process::Command, time::Instant};

const ROUNDS: usize = 3;
const STORIES: usize = 48;

/// Only one law is judged, which nothing breaks: no story is made short.
const BASE: &str = r#"
title = "a plain SAN, to see how quickly it is explored"
[guest]
multipath = { pg_init_retries = 5 }
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[workload]
rate = 10
[explore]
during = "20s"
quiet = "10s"
laws_off = ["errors", "flow", "paths", "agreement", "waits", "loops", "complaints", "expectations", "alike"]
[[expect]]
disks = 4
"#;

fn sansim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sansim"))
}

/// Stories a second of an exploration from the beginning. The stories are written to `stories`.
fn explore(place: &Path, coverage: &str, stories: &Path) -> f64 {
    let base = place.join("base.toml");
    fs::write(&base, BASE).expect("a file in a temporary directory");
    let memory = tempfile::tempdir_in(place).expect("a temporary directory");
    let began = Instant::now();
    let output = sansim()
        .args(["explore", "--jobs", "2", "--seed", "5", "--json", "--coverage", coverage])
        .args(["--runs", &STORIES.to_string(), "--memory"])
        .args([memory.path(), Path::new("--stories"), stories, &base])
        .output()
        .expect("sansim");
    let wall = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    STORIES as f64 / wall
}

/// Stories a second of `sansim run`. What a story comes to does not matter: some fail I/O.
fn run(place: &Path, stories: &Path) -> f64 {
    let out = tempfile::tempdir_in(place).expect("a temporary directory");
    let count = fs::read_dir(stories).expect("the stories").count();
    let began = Instant::now();
    let output = sansim()
        .args(["run", "--time", "skip", "--jobs", "2", "--out"])
        .args([out.path(), stories])
        .output()
        .expect("sansim");
    let wall = began.elapsed().as_secs_f64();
    assert!(output.status.code() <= Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    count as f64 / wall
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let stories = place.path().join("stories");
    // Makes templates and checkpoints, so that this is not measured.
    for coverage in ["guide", "off"] {
        explore(place.path(), coverage, &stories);
    }
    run(place.path(), &stories);
    let (mut plain, mut guided, mut ran) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, since what else the host does changes.
    for _ in 0..ROUNDS {
        plain.push(explore(place.path(), "off", &stories));
        guided.push(explore(place.path(), "guide", &place.path().join("guided")));
        ran.push(run(place.path(), &stories));
    }
    let (plain, guided, ran) = (median(plain), median(guided), median(ran));
    println!(
        "{STORIES} stories of 30 simulated seconds, 10 I/Os a second, two at a time, medians of {ROUNDS}"
    );
    println!("sansim run of the same stories      {ran:>6.2} a second");
    println!("sansim explore --coverage off       {plain:>6.2} a second  {:>5.2} x", plain / ran);
    println!("sansim explore, guided by blocks    {guided:>6.2} a second  {:>5.2} x", guided / ran);
}
