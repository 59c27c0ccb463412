//! Measures how discovery and maps grow with the number of LUNs: seconds of the host and of its processors,
//! each from a template and without a checkpoint. Prints them, asserts nothing.

use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

/// The numbers of LUNs, each with four paths.
const LUNS: [usize; 3] = [16, 64, 256];

fn story(luns: usize) -> String {
    let mut text = String::from(
        "title = \"many LUNs\"\nrun_for = \"1s\"\nlimit = \"300s\"\n[guest]\nmemory = \"1GiB\"\n\
         [array]\npersonality = \"alua\"\nluns = [\n",
    );
    for lun in 0..luns {
        let owner = if lun % 2 == 0 { "A" } else { "B" };
        writeln!(text, "    {{ size = \"16MiB\", owner = \"{owner}\" }},").expect("a string");
    }
    text + "]\n[[expect]]\nio = { errors = 0, corrupt = 0 }\n"
}

/// Runs a scenario with a seed, and returns its summary.
fn run(scenario: &Path, out: &Path) -> serde_json::Value {
    let run = Command::new(env!("CARGO_BIN_EXE_sansim"))
        .args(["run", "--time", "skip", "--host-timeout", "30m", "--out"])
        .args([out, scenario])
        .output()
        .expect("sansim");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = fs::read_to_string(out.join("latest/summary.json")).expect("summary.json");
    serde_json::from_str(&text).expect("JSON")
}

fn main() -> ExitCode {
    let place = tempfile::tempdir().expect("a temporary directory");
    let (scenario, out) = (place.path().join("luns.toml"), place.path().join("out"));
    // Makes the template, so that this is not measured.
    fs::write(&scenario, story(1)).expect("a scenario file");
    run(&scenario, &out);
    println!(
        "LUNs by four paths, seconds: discovery, maps, the whole run; QEMU's and sansim's processors"
    );
    for luns in LUNS {
        fs::write(&scenario, story(luns)).expect("a scenario file");
        let summary = run(&scenario, &out);
        let of = |group: &str, key: &str| summary[group][key].as_f64().unwrap_or(f64::NAN);
        println!(
            "{luns:>4} {:>7.2} {:>7.2} {:>7.2}  {:>7.2} {:>7.2}  from a {}",
            of("timings", "discovery_s"),
            of("timings", "maps_s"),
            summary["wall_s"].as_f64().unwrap_or(f64::NAN),
            of("cpu_s", "qemu"),
            of("cpu_s", "sansim"),
            summary["boot"].as_str().unwrap_or_default(),
        );
    }
    ExitCode::SUCCESS
}
