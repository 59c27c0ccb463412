//! Measures how fast the project's scenarios run, two at a time: scenarios per minute, simulated seconds per
//! second, CPU seconds per scenario, and the parts of a run. Runs `scenarios/rdac` in skipped time (from
//! checkpoints, and from a cold boot) and in real time, in turns, and compares them; then all scenarios
//! twice; then a story of ten minutes of waiting. Prints medians, asserts only that the runs succeed.

use std::{fs, path::Path, process::Command, time::Instant};

use rustix::param::clock_ticks_per_second;

const ROUNDS: usize = 3;

const WAIT: &str = r#"
title = "ten minutes of waiting"
run_for = "600s"
limit = "600s"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[workload]
pattern = "none"
"#;

/// Parts of a run, with their keys in `summary.json`.
const PARTS: [&str; 6] =
    ["restore_s", "modules_s", "discovery_s", "maps_s", "story_s", "teardown_s"];

struct Mode {
    name: &'static str,
    options: &'static [&'static str],
    rounds: Vec<Round>,
}

/// The cost of one suite: seconds, except `runs`.
#[derive(Default)]
struct Round {
    runs: f64,
    wall: f64,
    cpu: f64,
    simulated: f64,
    parts: [f64; PARTS.len()],
}

impl Mode {
    fn new(name: &'static str, options: &'static [&'static str]) -> Self {
        Mode { name, options, rounds: Vec::new() }
    }

    fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }
}

impl Round {
    fn share(&self, part: usize) -> f64 {
        self.parts[part] / self.parts.iter().sum::<f64>() * 100.0
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn sansim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sansim"))
}

/// Runs the scenarios in a directory of the project.
fn run_suite(dir: &str, options: &[&str]) -> Round {
    let out = tempfile::tempdir().expect("a temporary directory");
    let (began, spent) = (Instant::now(), children_cpu());
    let run = sansim()
        .args(["run", "--accel", "tcg", "--jobs", "2", "--out"])
        .arg(out.path())
        .args(options)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(dir))
        .output()
        .expect("sansim");
    let (wall, cpu) = (began.elapsed().as_secs_f64(), children_cpu() - spent);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    let mut round = Round { wall, cpu, ..Round::default() };
    for entry in fs::read_dir(out.path()).expect("the run directories").flatten() {
        // Skips `latest`, a link to one of the others.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            add(&mut round, &entry.path());
        }
    }
    round
}

/// Runs ten minutes of waiting in skipped time. Returns the host's seconds.
fn wait() -> f64 {
    let place = tempfile::tempdir().expect("a temporary directory");
    let story = place.path().join("wait.toml");
    fs::write(&story, WAIT).expect("a file in a temporary directory");
    let began = Instant::now();
    let run = sansim()
        .args(["run", "--time", "skip", "--out"])
        .args([&place.path().join("out"), &story])
        .output()
        .expect("sansim");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    began.elapsed().as_secs_f64()
}

fn add(round: &mut Round, run: &Path) {
    let text = fs::read_to_string(run.join("summary.json")).expect("summary.json");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    round.runs += 1.0;
    round.simulated += summary["simulated_s"].as_f64().expect("simulated_s");
    for (sum, name) in round.parts.iter_mut().zip(PARTS) {
        *sum += summary["timings"][name].as_f64().expect(name);
    }
}

/// CPU seconds of all terminated child processes: cutime and cstime of proc_pid_stat(5). Splitting at
/// spaces is safe, because the name of this program has none.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields = stat.split_ascii_whitespace().skip(15).take(2);
    let ticks: f64 = fields.map(|field| field.parse::<f64>().expect("ticks")).sum();
    ticks / clock_ticks_per_second() as f64
}

/// Prints one figure for every mode, with its ratio to the first mode's.
fn line(name: &str, unit: &str, modes: &[Mode], ratio: bool, figure: impl Fn(&Round) -> f64) {
    let medians: Vec<f64> = modes.iter().map(|mode| mode.median(&figure)).collect();
    print!("{name:<32}");
    for median in &medians {
        print!("{median:>10.2}{unit:<2}");
        if ratio {
            print!(" {:>5.2} x", median / medians[0]);
        }
    }
    println!();
}

fn main() {
    const SOME: &str = "scenarios/rdac";
    let mut modes = [
        Mode::new("skipped", &["--time", "skip"]),
        Mode::new("cold", &["--time", "skip", "--cold"]),
        Mode::new("real time", &["--time", "real"]),
    ];
    // Creates templates and checkpoints and learns the scenarios' costs, so that this is not measured. Cold
    // boots take long and need no warm-up: one round is enough.
    run_suite(SOME, modes[0].options);
    for round in 0..ROUNDS {
        for mode in modes.iter_mut().filter(|mode| round == 0 || !mode.options.contains(&"--cold"))
        {
            mode.rounds.push(run_suite(SOME, mode.options));
        }
    }
    let runs = modes[0].median(|round| round.runs);
    println!("{runs} scenarios of {SOME} with --jobs 2, under TCG, medians of {ROUNDS}");
    print!("{:<32}", "");
    modes.iter().for_each(|mode| print!("{:>10}          ", mode.name));
    println!();
    line("scenarios per minute", "", &modes, true, |r| r.runs / r.wall * 60.0);
    line("simulated seconds per second", "", &modes, true, |r| r.simulated / r.wall);
    line("CPU seconds per scenario", "", &modes, true, |r| r.cpu / r.runs);
    for (part, name) in PARTS.iter().enumerate() {
        let name = format!("share of {}", name.trim_end_matches("_s"));
        line(&name, " %", &modes, false, |r| r.share(part));
    }
    for what in ["the first time", "again"] {
        let all = run_suite("scenarios", &["--time", "skip"]);
        println!("all {} scenarios, {what}: {:.0} s", all.runs, all.wall);
    }
    let seconds = median((0..ROUNDS).map(|_| wait()).collect());
    println!("600 simulated seconds of waiting: {seconds:.1} s");
}
