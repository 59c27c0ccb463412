//! Measures how long a live lab takes: until its page is served, until its guest has its maps, until a
//! shell in the guest has answered; from a template, and from a cold boot. Prints medians and ratios,
//! asserts nothing.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const ROUNDS: usize = 5;
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(120);

/// Seconds from the command's start.
#[derive(Debug, Clone, Copy)]
struct Times {
    page: f64,
    maps: f64,
    shell: f64,
}

fn sansim(runtime: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sansim"));
    command.env("XDG_RUNTIME_DIR", runtime).stdin(Stdio::null());
    command
}

/// Starts a lab, measures, and ends it.
fn lab(place: &Path, options: &[&str]) -> Times {
    let began = Instant::now();
    let mut up = sansim(place);
    up.args(["up", "rdac", "--name", "bench", "--out"]).arg(place.join("out")).args(options);
    let mut up = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sansim up");
    until(began, || page_is_served(place));
    let page = began.elapsed().as_secs_f64();
    until(began, || ctl(place, &["exec", "--", "true"]));
    let maps = began.elapsed().as_secs_f64();
    assert!(shell_answers(place), "the shell has not answered");
    let shell = began.elapsed().as_secs_f64();
    let ended = sansim(place).args(["down", "bench"]).output().expect("sansim down");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    up.wait().expect("sansim up");
    Times { page, maps, shell }
}

fn until(began: Instant, mut so: impl FnMut() -> bool) {
    while !so() {
        assert!(began.elapsed() < PATIENCE, "the lab does not start");
        sleep(LOOK);
    }
}

fn ctl(place: &Path, args: &[&str]) -> bool {
    let output = sansim(place).args(["ctl", "--lab", "bench"]).args(args).output();
    output.expect("sansim ctl").status.success()
}

/// Asks for the page as a browser does.
fn page_is_served(place: &Path) -> bool {
    let about = std::fs::read_to_string(place.join("sansim/bench/lab.json")).unwrap_or_default();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap_or_default();
    let Some((host, token)) = about["address"]
        .as_str()
        .and_then(|address| address.strip_prefix("http://")?.split_once("/?token="))
    else {
        return false;
    };
    let Ok(mut stream) = TcpStream::connect(host) else { return false };
    let ask = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    let mut answer = String::new();
    stream.write_all(ask.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn shell_answers(place: &Path) -> bool {
    let mut shell = sansim(place);
    shell.args(["ctl", "--lab", "bench", "shell"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().expect("sansim ctl shell");
    shell.stdin.take().expect("a pipe").write_all(b"echo $((6 * 7))\n").expect("a command");
    let output = shell.wait_with_output().expect("the shell's end");
    String::from_utf8_lossy(&output.stdout).contains("42")
}

fn median(times: &[Times], of: fn(&Times) -> f64) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(of).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    // Makes the template, so that this is not measured.
    lab(place.path(), &[]);
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        warm.push(lab(place.path(), &[]));
        cold.push(lab(place.path(), &["--cold"]));
    }
    println!(
        "a live lab, rdac, multipathd, 2 LUNs by 4 paths, real time; medians of {ROUNDS}, in seconds"
    );
    for (what, of) in [
        ("page served", (|times| times.page) as fn(&Times) -> f64),
        ("guest has its maps", |times| times.maps),
        ("shell has answered", |times| times.shell),
    ] {
        let (warm, cold) = (median(&warm, of), median(&cold, of));
        println!("{what:<20}{warm:>6.2} from a template {cold:>6.2} cold {:>6.1} x", cold / warm);
    }
}
