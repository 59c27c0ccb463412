//! A round: `sansim run` with some scenarios, and what is wrong afterwards.

use std::{
    collections::BTreeSet,
    fmt, fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    library::{self, Library},
    place::signal,
    plan::{Harm, Plan},
    room::Room,
};

/// How long a round may take: sansim's own bound of a run is five minutes.
const PATIENCE: Duration = Duration::from_secs(40 * 60);

/// Does what is planned. Returns what is wrong afterwards.
pub(crate) fn run(
    room: &Room,
    library: &Library,
    plan: &Plan,
    before: &BTreeSet<String>,
) -> Vec<String> {
    let (out, errors) = (room.place.out(), room.place.path().join("errors"));
    let [junit, table] = ["junit.xml", "table.md"].map(|name| room.place.path().join(name));
    for old in [&junit, &table] {
        // An error means that it is not there.
        let _ = fs::remove_file(old);
    }
    let mut run = room.sansim();
    run.arg("run").args(&plan.files).current_dir(library::root());
    run.args(["--jobs", &plan.jobs.to_string(), "--out"]).arg(&out);
    run.arg("--junit").arg(&junit).arg("--table").arg(&table);
    run.args(plan.cold.then_some("--cold"));
    let to = fs::File::create(&errors).expect("a file");
    let mut run = run.stdout(Stdio::null()).stderr(to).spawn().expect("sansim");
    let hit = harm(room, plan, &mut run, before);
    let mut wrong = match end(&mut run) {
        Some(status) => judge(library, plan, status, hit, [&junit, &table]),
        None => vec![format!("it has not ended after {} s", PATIENCE.as_secs())],
    };
    wrong.extend(match plan.harm {
        Harm::Killed => room.left_running(before),
        _ => room.left(before),
    });
    if !wrong.is_empty() {
        wrong.push(fs::read_to_string(&errors).unwrap_or_default());
    }
    // What runs have written is looked at when something is wrong only.
    if wrong.is_empty() {
        let _ = fs::remove_dir_all(&out);
    }
    wrong
}

/// Waits until a process catches SIGTERM, or has ended: one that has not even begun dies of it, and promises nothing.
fn listens(pid: u32) {
    const TERM: u64 = 1 << 14;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        if caught.is_none_or(|mask| mask & TERM != 0) {
            return;
        }
        sleep(Duration::from_millis(1));
    }
}

/// Waits for the moment, and does the harm. Returns whether it met something that ran.
fn harm(room: &Room, plan: &Plan, run: &mut Child, before: &BTreeSet<String>) -> bool {
    let name = match plan.harm {
        Harm::None => return false,
        Harm::Interrupted => "INT",
        Harm::Terminated => "TERM",
        Harm::Killed | Harm::QemuKilled => "KILL",
    };
    sleep(plan.after);
    if matches!(plan.harm, Harm::Interrupted | Harm::Terminated) {
        listens(run.id());
    }
    if run.try_wait().expect("its state").is_some() {
        return false;
    }
    if plan.harm != Harm::QemuKilled {
        signal(run.id(), name);
        return true;
    }
    let of_lab = |pid: &u32| before.iter().any(|one| one.starts_with(&format!("process {pid} ")));
    let qemu = room.place.qemus().into_iter().find(|pid| !of_lab(pid));
    // It may have ended by itself since.
    qemu.is_some_and(|pid| {
        let kill = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).output();
        kill.is_ok_and(|output| output.status.success())
    })
}

/// Waits for its end. None: it hangs, and was killed.
fn end(run: &mut Child) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = run.try_wait().expect("its state") {
            return Some(status);
        }
        sleep(Duration::from_millis(20));
    }
    let _ = run.kill();
    let _ = run.wait();
    None
}

/// What is wrong with its end and its reports.
fn judge(
    library: &Library,
    plan: &Plan,
    status: ExitStatus,
    hit: bool,
    [junit, table]: [&Path; 2],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let allowed: &[i32] = match (plan.harm, hit) {
        (Harm::Interrupted | Harm::Terminated, true) => &[130, 0],
        (Harm::QemuKilled, true) => &[3, 0],
        _ => &[0],
    };
    if plan.harm == Harm::Killed && hit {
        // It may have ended between the look and the signal.
        return match (status.signal(), status.code()) {
            (Some(9), _) | (_, Some(0)) => wrong,
            _ => vec![format!("it ended with {status}")],
        };
    }
    if !status.code().is_some_and(|code| allowed.contains(&code)) {
        wrong.push(format!("it ended with {status}"));
    }
    let junit = fs::read_to_string(junit).unwrap_or_default();
    let cases = junit.matches("<testcase ").count();
    if cases != plan.files.len() {
        wrong.push(format!("JUnit has {cases} of {} runs", plan.files.len()));
    }
    let page = fs::read_to_string(table).unwrap_or_default();
    if plan.harm == Harm::None && library::rows(&page).count() != plan.files.len() {
        wrong.push("a row of the table is missing".to_owned());
    }
    // The run whose QEMU was killed is an error, and no other one.
    let mut errors = usize::from(plan.harm == Harm::QemuKilled);
    for row in library.differing(&page) {
        if row.contains("| error") && errors > 0 {
            errors -= 1;
        } else {
            wrong.push(format!("not as in docs/library.md: {row}"));
        }
    }
    wrong
}

/// What was done, and what was wrong.
#[derive(Default)]
pub(crate) struct Counts {
    rounds: usize,
    scenarios: usize,
    harmed: usize,
    wrong: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, plan: &Plan, wrong: Vec<String>) {
        self.rounds += 1;
        self.scenarios += plan.files.len();
        self.harmed += usize::from(plan.harm != Harm::None);
        self.found(wrong);
    }

    /// Prints what is wrong, and counts it as one.
    pub(crate) fn found(&mut self, wrong: Vec<String>) {
        self.wrong += usize::from(!wrong.is_empty());
        wrong.iter().for_each(|line| println!("         WRONG: {line}"));
    }

    pub(crate) fn all_well(&self) -> bool {
        self.wrong == 0
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { rounds, scenarios, harmed, wrong } = self;
        write!(
            f,
            "{rounds} rounds with {scenarios} scenarios, {harmed} of them harmed: {wrong} wrong"
        )
    }
}
