//! Measures how many stories a second `sansim explore` tells, with the kernel's blocks as a guide and without, beside
//! `sansim run` of the same stories: a base scenario of 30 simulated seconds with 10 I/Os a second, two at a time,
//! each from the checkpoint of t = 0. And how many stories a second `sansim replay --fork` tells that share their first
//! 20 s, beside `sansim run` of these. Prints medians and ratios, asserts only that all ends well.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const ROUNDS: usize = 3;
const STORIES: usize = 48;
const FORKS: usize = 32;

const SAN: &str = r#"
title = "a plain SAN, to see how quickly it is explored"
run_for = "30s"
[guest]
multipath = { pg_init_retries = 5 }
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[workload]
rate = 10
[[expect]]
disks = 4
"#;

/// Only one law is judged, which nothing breaks: no story is made short.
const EXPLORE: &str = r#"
[explore]
during = "20s"
quiet = "10s"
laws_off = ["errors", "flow", "paths", "agreement", "waits", "loops", "complaints", "expectations", "alike"]
"#;

/// A step of all stories that are forked: at the moment of the fork, what comes next has to be the same.
const NEXT: &str = r#"
[[step]]
at = "20s"
message = "fail_if_no_path"
"#;

fn sansim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sansim"))
}

/// Stories a second of an exploration from the beginning. The stories are written to `stories`.
fn explore(place: &Path, coverage: &str, stories: &Path) -> f64 {
    let base = place.join("base.toml");
    fs::write(&base, [SAN, EXPLORE].concat()).expect("a file in a temporary directory");
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

/// Stories that differ in what happens after 20 s, and the directory of a run of one of them.
fn stories_of_one_beginning(place: &Path) -> (PathBuf, Vec<PathBuf>) {
    let dir = place.join("forks");
    fs::create_dir(&dir).expect("a directory in a temporary directory");
    let story = |index: usize| {
        let at = 20_500 + 100 * index;
        let differs = format!("[[step]]\nat = \"{at}ms\"\nfail = \"controller A\"\n");
        let path = dir.join(format!("fork-{index:02}.toml"));
        fs::write(&path, [SAN, NEXT, &differs].concat()).expect("a file in a temporary directory");
        path
    };
    let stories: Vec<PathBuf> = (0..FORKS).map(story).collect();
    let out = place.join("to-fork");
    let output = sansim()
        .args(["run", "--time", "skip", "--seed", "5", "--out"])
        .args([&out, &stories[0]])
        .output()
        .expect("sansim");
    assert!(output.status.code() <= Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let run = fs::read_dir(&out).expect("the run's directory").next().expect("a run");
    (run.expect("a directory").path(), stories)
}

/// Stories a second of forks at 20 s, what comes before included.
fn fork(place: &Path, run: &Path, stories: &[PathBuf]) -> f64 {
    let out = tempfile::tempdir_in(place).expect("a temporary directory");
    let began = Instant::now();
    let mut command = sansim();
    command.args(["replay", "--until", "19500ms", "--out"]).args([out.path(), run]);
    for story in stories {
        command.arg("--fork").arg(story);
    }
    let output = command.output().expect("sansim");
    let wall = began.elapsed().as_secs_f64();
    assert!(output.status.code() <= Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    stories.len() as f64 / wall
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
    let (forked, shared) = stories_of_one_beginning(place.path());
    let (mut forks, mut unforked) = (Vec::new(), Vec::new());
    let (mut plain, mut guided, mut ran) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, since what else the host does changes.
    for _ in 0..ROUNDS {
        plain.push(explore(place.path(), "off", &stories));
        guided.push(explore(place.path(), "guide", &place.path().join("guided")));
        ran.push(run(place.path(), &stories));
        forks.push(fork(place.path(), &forked, &shared));
        unforked.push(run(place.path(), &place.path().join("forks")));
    }
    let (forks, unforked) = (median(forks), median(unforked));
    let (plain, guided, ran) = (median(plain), median(guided), median(ran));
    println!(
        "{STORIES} stories of 30 simulated seconds, 10 I/Os a second, two at a time, medians of {ROUNDS}"
    );
    println!("sansim run of the same stories      {ran:>6.2} a second");
    println!("sansim explore --coverage off       {plain:>6.2} a second  {:>5.2} x", plain / ran);
    println!("sansim explore, guided by blocks    {guided:>6.2} a second  {:>5.2} x", guided / ran);
    println!("{FORKS} stories that share their first 20 s");
    println!("sansim run of them                  {unforked:>6.2} a second");
    println!(
        "sansim replay --until … --fork       {forks:>6.2} a second  {:>5.2} x",
        forks / unforked
    );
}
