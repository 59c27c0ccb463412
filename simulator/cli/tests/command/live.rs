//! `sansim up` and `sansim ctl`, with a guest.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::place::{Place, signal, text};

/// A lab that runs.
struct Lab<'p> {
    place: &'p Place,
    name: &'static str,
    child: Child,
}

impl<'p> Lab<'p> {
    /// Starts a lab and waits until its guest is ready.
    fn up(place: &'p Place, name: &'static str, args: &[&str]) -> Lab<'p> {
        let mut up = place.sansim();
        up.arg("up").args(args).args(["--name", name, "--seed", "7", "--out"]).arg(place.out());
        let child = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sansim");
        let lab = Lab { place, name, child };
        wait_for("the guest", || {
            let status = lab.status();
            status["starting"].is_null() && status["clock"].is_object()
        });
        lab
    }

    fn ctl(&self, args: &[&str]) -> Output {
        let mut ctl = self.place.sansim();
        ctl.args(["ctl", "--lab", self.name]).args(args).stdin(Stdio::null());
        ctl.output().expect("sansim ctl")
    }

    /// A command that must succeed; what it has printed.
    fn does(&self, args: &[&str]) -> String {
        let output = self.ctl(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        said(&output)
    }

    fn status(&self) -> Value {
        let output = self.ctl(&["--json", "status"]);
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    fn broken(&self) -> Vec<String> {
        let status = self.status();
        let broken = status["broken"].as_array().expect("a list").iter();
        broken.map(|broken| broken["what"].as_str().expect("words").to_owned()).collect()
    }

    /// Ends the lab, and checks that nothing is left of it.
    fn down(mut self) {
        self.does_down();
        assert!(self.child.wait().expect("sansim").success());
    }

    fn does_down(&self) {
        let mut down = self.place.sansim();
        let output = down.args(["down", self.name]).output().expect("sansim down");
        assert!(output.status.success(), "{}", text(&output));
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a condition holds, for at most five minutes: a guest in real time is slow on a busy host.
fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(300), "waited five minutes for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a command has printed.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn nothing_is_left(place: &Place) {
    wait_for("the end of QEMU", || place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<PathBuf>::new());
    let labs = place.runtime().join("sansim");
    let labs = fs::read_dir(labs).map_or(0, Iterator::count);
    assert_eq!(labs, 0, "a lab is still listed");
}

#[test]
fn a_demo_becomes_a_scenario_that_passes() {
    let place = Place::new();
    let lab = Lab::up(&place, "demo", &["rdac"]);
    lab.does(&["wait", "io reads=\">= 20\"", "--for", "300s"]);
    let failed = lab.does(&["fail", "controller", "A"]);
    assert!(failed.contains("controller A is failed"), "{failed}");
    let met = lab.does(&["wait", "owner lun=0 controller=B and paths active=2", "--for", "300s"]);
    assert!(met.contains("met"), "{met}");
    assert_eq!(lab.broken(), ["controller A is failed"]);
    let unmet = lab.ctl(&["wait", "owner lun=0 controller=A", "--for", "1s"]);
    assert_eq!(unmet.status.code(), Some(1), "{}", text(&unmet));
    let rule = lab.does(&["fault", "add", "when op=INQUIRY port=B1 page=c9 then delay=100ms"]);
    lab.does(&["fault", "remove", rule.trim()]);
    lab.does(&["reset"]);
    assert_eq!(lab.broken(), Vec::<String>::new());
    // A story is saved when everything has come to rest.
    lab.does(&["wait", "paths active=4 and owner lun=0 controller=A", "--for", "300s"]);
    let file = place.path().join("story.toml");
    lab.does(&["save", &file.display().to_string()]);
    lab.down();
    nothing_is_left(&place);
    let mut run = place.sansim();
    let output = run.arg("run").arg(&file).arg("--out").arg(place.out()).output().expect("a run");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let story = fs::read_to_string(&file).expect("the story");
    for part in ["seed = 7", "fail = \"controller A\"", "arm = \"fault-1\"", "owner = "] {
        assert!(story.contains(part), "{part:?} is missing:\n{story}");
    }
}

#[test]
fn held_acts_happen_at_one_time_and_each_step_is_a_word() {
    let place = Place::new();
    let lab = Lab::up(&place, "held", &["alua"]);
    lab.does(&["hold"]);
    assert!(lab.does(&["link", "down", "A0", "hba0"]).contains("waits"));
    lab.does(&["step", "split = { lun = 1 }"]);
    let rule = ["fault", "add", "when", "op=INQUIRY", "then", "delay=1ms"];
    assert!(lab.does(&rule).starts_with("fault-1  (waits)"), "the first rule");
    assert!(lab.does(&rule).starts_with("fault-2"), "another name, though it waits, too");
    assert_eq!(lab.broken(), Vec::<String>::new(), "they wait");
    let went = lab.does(&["--json", "go"]);
    let went: Value = serde_json::from_str(&went).expect("JSON");
    let times: Vec<_> = went["did"].as_array().expect("acts").iter().map(|did| &did["t"]).collect();
    assert!(times.len() == 4 && times.iter().all(|t| *t == times[0]), "{went}");
    assert_eq!(lab.broken().len(), 4);
    assert_eq!(lab.status()["history"].as_array().map(Vec::len), Some(4));
    assert_eq!(lab.ctl(&["go"]).status.code(), Some(2), "nothing is held any more");
    let refused = lab.ctl(&["fail", "controller", "C"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("the array has no controller C"), "{}", text(&refused));
    lab.down();
    nothing_is_left(&place);
}

#[test]
fn programs_files_and_terminals_are_the_guests() {
    let place = Place::new();
    let lab = Lab::up(&place, "guest", &["emc"]);
    let exit = lab.ctl(&["exec", "--", "sh", "-c", "echo $((6 * 7)); exit 3"]);
    assert_eq!((exit.status.code(), said(&exit).trim()), (Some(3), "42"));
    let (there, back) = (place.path().join("there"), place.path().join("back"));
    let bytes: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
    fs::write(&there, &bytes).expect("a file");
    lab.does(&["push", &there.display().to_string(), "/tmp/there"]);
    lab.does(&["pull", "/tmp/there", &back.display().to_string()]);
    assert!(fs::read(&back).expect("a file") == bytes, "the file has changed on its way");
    let mut shell = place.sansim();
    shell.args(["ctl", "--lab", "guest", "shell"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().expect("a shell");
    std::io::Write::write_all(
        &mut shell.stdin.take().expect("stdin"),
        b"echo $((40 + 2)) $(tty)\n",
    )
    .expect("a command");
    let output = shell.wait_with_output().expect("its end");
    assert!(text(&output).contains("42 /dev/pts/"), "{}", text(&output));
    assert!(lab.does(&["multipath"]).contains("hwhandler='1 emc'"));
    lab.down();
    nothing_is_left(&place);
}

#[test]
fn time_can_stand_still_and_be_skipped() {
    let place = Place::new();
    let lab = Lab::up(&place, "time", &["hp_sw", "--time", "skip"]);
    let t = || lab.status()["clock"]["t"].as_f64().expect("a time");
    lab.does(&["time", "pause"]);
    // QEMU stops the guest after a few more questions.
    wait_for("a guest that stands still", || {
        let before = t();
        std::thread::sleep(Duration::from_millis(100));
        t() == before
    });
    assert_eq!(lab.status()["clock"]["state"], "paused");
    assert_eq!(lab.ctl(&["exec", "--", "true"]).status.code(), Some(2), "no program runs now");
    lab.does(&["time", "resume"]);
    let before = t();
    lab.does(&["time", "skip", "30s"]);
    assert!(t() >= before + 30.0);
    lab.does(&["fail", "controller", "A"]);
    lab.does(&["time", "to-next-event"]);
    lab.down();
    nothing_is_left(&place);
}

#[test]
fn labs_have_names_and_a_killed_one_leaves_nothing() {
    let place = Place::new();
    let (mut one, two) = (Lab::up(&place, "one", &["rdac"]), Lab::up(&place, "two", &["rdac"]));
    let mut ctl = place.sansim();
    let unnamed = ctl.args(["ctl", "status"]).output().expect("ctl");
    assert_eq!(unnamed.status.code(), Some(2));
    assert!(text(&unnamed).contains("--lab"), "{}", text(&unnamed));
    one.child.kill().expect("a kill");
    one.child.wait().expect("its end");
    // This sweeps what the killed one has left, too.
    let mut again = place.sansim();
    let again = again.args(["up", "rdac", "--name", "two"]).output().expect("up");
    assert_eq!(again.status.code(), Some(2), "{}", text(&again));
    assert_eq!(two.status()["lab"]["name"], "two");
    let mut ctl = place.sansim();
    let only = ctl.args(["ctl", "list"]).output().expect("ctl");
    assert!(!text(&only).contains("one"), "{}", text(&only));
    signal(two.child.id(), "INT");
    let mut two = two;
    assert!(two.child.wait().expect("its end").success());
    nothing_is_left(&place);
}

#[test]
fn a_run_that_fails_becomes_a_lab_which_stands_still() {
    let place = Place::new();
    let file = place.path().join("fails.toml");
    let story = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/rdac/pg-init-retry.toml"
    ));
    let more = "\n[[expect]]\nby = \"3s\"\nowner = { lun = 0, controller = \"A\" }\nrounds = 40\n";
    fs::write(&file, story.expect("a scenario") + more).expect("a file");
    let mut run = place.sansim();
    run.arg("run").arg(&file).args(["--seed", "7", "--hold-on-fail", "--out"]).arg(place.out());
    let child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
    let lab = Lab { place: &place, name: "fails", child };
    wait_for("the lab", || lab.status()["clock"]["state"] == "paused");
    let status = lab.status();
    assert!(status["clock"]["t"].as_f64().is_some_and(|t| (3.0..3.5).contains(&t)), "{status}");
    lab.does(&["time", "resume"]);
    lab.does(&["restore", "controller", "A"]);
    lab.does(&["exec", "--", "dmsetup", "status", "lun0"]);
    lab.does_down();
    let mut lab = lab;
    assert_eq!(lab.child.wait().expect("its end").code(), Some(1), "an expectation has failed");
    nothing_is_left(&place);
}
