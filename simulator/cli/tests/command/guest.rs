//! The whole command with a guest: verdicts, explanations, crashes. Uses the image `bookworm`, and builds
//! it if needed.

use std::fs;

use crate::place::{Place, SmallDisk, signal, start, summary, text, wait_for};

/// A controller fails. Tests append further tables.
pub(crate) const STORY: &str = r#"
title = "a controller is lost"
[guest]
multipath = { pg_init_retries = 5 }
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[hba]
count = 1
[[step]]
at = "300ms"
fail = "controller A"
[[expect]]
by = "20s"
owner = { lun = 0, controller = "B" }
group = { current = 2 }
[[expect]]
io = { errors = 0, corrupt = 0 }
"#;

/// A story that is still running when the test stops it.
const ENDLESS: &str = r#"
title = "nothing happens"
run_for = "100s"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[hba]
count = 1
[[expect]]
commands = { op = "INQUIRY", stage = "discovery", at_least = 1 }
"#;

fn assert_nothing_left(place: &Place) {
    wait_for("QEMU to be gone", || place.qemus().is_empty());
    assert_eq!(place.left_over(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_multipath_conf_that_multipathd_does_not_accept_is_answered_with_its_own_words() {
    let place = Place::new();
    let conf = "[guest]\nmanager = \"multipathd\"\nmultipathd = { conf_file = \"m.conf\" }";
    let story = STORY.replace("[guest]\nmultipath = { pg_init_retries = 5 }", conf);
    let file = place.scenario(&story);
    let conf = |keyword: &str| {
        let written = format!("defaults {{\n    {keyword}\n}}\n");
        fs::write(file.with_file_name("m.conf"), written).unwrap();
        let output = place.run(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        summary(&place)
    };
    assert_eq!(conf("pg_inut_retries 3")["verdict"], "pass");
    let events = fs::read_to_string(place.out().join("latest/events.ndjson")).unwrap();
    assert!(events.contains(
        "/etc/multipath.conf line 2, invalid keyword in the defaults section: pg_inut_retries"
    ));
    let skipped = conf("auto_resize never");
    assert_eq!(skipped["verdict"], "skipped");
    let needs = "`auto_resize` of multipath.conf needs multipath-tools 0.9.7";
    assert_eq!(skipped["reason"], needs);
    assert_nothing_left(&place);
}

#[test]
fn a_scenario_that_needs_a_module_which_is_not_there_is_skipped_with_its_name() {
    let place = Place::new();
    let story = STORY.replace("[guest]", "[guest]\nmodules = [\"scsi_dh_acme\"]");
    let output = place.run(&place.scenario(&story)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let summary = summary(&place);
    assert_eq!(summary["verdict"], "skipped");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.ends_with("has no module scsi_dh_acme"), "{reason}");
    assert_nothing_left(&place);
}

#[test]
fn a_scenario_that_calls_a_program_which_is_not_there_is_skipped_with_its_name() {
    let place = Place::new();
    let root = place.path().join("root");
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    fs::write(root.join("usr/bin/udevadm"), "#!/bin/sh\n").unwrap();
    for (table, program) in [
        ("[guest]\nmanager = \"multipathd\"", "/lib/systemd/systemd-udevd"),
        ("[[step]]\nat = \"1s\"\nrun = [\"sg_turs\", \"/dev/sda\"]\n[guest]", "sg_turs"),
    ] {
        let head = STORY.replace("[guest]\nmultipath = { pg_init_retries = 5 }", table);
        let file = place.scenario(&head);
        let output = place.run(&file).arg("--userland").arg(&root).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let summary = summary(&place);
        assert_eq!(summary["verdict"], "skipped");
        assert_eq!(summary["image"], "bookworm+own-userland");
        let reason = summary["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("the scenario needs {program}, which")), "{reason}");
    }
    assert_nothing_left(&place);
}

#[test]
fn a_story_passes() {
    let place = Place::new();
    let mut run = place.run(&place.scenario(STORY));
    let output = run.args(["--time", "skip", "--seed", "7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let summary = summary(&place);
    assert_eq!(summary["verdict"], "pass");
    assert_eq!(summary["handler"], "rdac");
    assert_eq!(summary["seed"], 7);
    assert!(summary["kernel"].as_str().unwrap().starts_with("6.1."));
    assert_eq!(summary["commands"]["MODE SELECT(10)"]["B"], 1);
    assert_nothing_left(&place);
}

#[test]
fn a_run_leaves_its_whole_story_behind() {
    let place = Place::new();
    let junit = place.out().join("junit.xml");
    let output = place.run(&place.scenario(STORY)).arg("--junit").arg(&junit).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let latest = place.out().join("latest");
    let read = |name: &str| fs::read_to_string(latest.join(name)).expect(name);
    let kinds: Vec<String> = read("events.ndjson")
        .lines()
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).expect("an event");
            assert!(event["t"].is_f64() || event["t"].is_i64(), "{line}");
            event["kind"].as_str().expect("a kind").to_owned()
        })
        .collect();
    for kind in
        ["command", "state", "step", "path", "pg_init", "log", "uevent", "expect", "verdict"]
    {
        assert!(kinds.iter().any(|k| k == kind), "no {kind} event");
    }
    assert!(read("report.html").contains("a controller is lost"));
    assert!(fs::read_to_string(junit).unwrap().contains("<testcase"));
    // The resolved scenario is itself a valid scenario.
    let check = place.sansim().arg("check").arg(latest.join("scenario.toml")).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
}

#[test]
fn without_options_a_run_goes_below_the_current_directory() {
    let place = Place::new();
    place.scenario(STORY);
    let output =
        place.sansim().current_dir(place.path()).args(["run", "story.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let latest = place.path().join("sansim-runs/latest");
    for file in ["scenario.toml", "summary.json", "events.ndjson", "console.log", "report.html"] {
        assert!(latest.join(file).is_file(), "{file} is missing");
    }
}

#[test]
fn json_is_all_there_is_on_standard_output() {
    let place = Place::new();
    let output = place.run(&place.scenario(STORY)).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    let parsed = lines.lines().map(|line| serde_json::from_str(line).expect(line));
    let events: Vec<serde_json::Value> = parsed.collect();
    let last = events.last().expect("events");
    assert_eq!(last["kind"], "verdict");
    assert_eq!(last["verdict"], "pass");
}

#[test]
fn a_wrong_expectation_exits_1_and_explains_itself() {
    let place = Place::new();
    let wrong = STORY.replace("io = { errors = 0,", "rounds = 9\nio = { errors = 0,");
    let output = place.run(&place.scenario(&wrong)).args(["--seed", "11"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["expected", "seen", "last commands on the wire", "--seed 11", "story.toml"] {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    assert_eq!(summary(&place)["verdict"], "fail");
}

#[test]
fn a_kernel_warning_fails_the_run_and_is_named() {
    let place = Place::new();
    // A line written to /dev/kmsg from userland looks like the kernel's own WARNING.
    let warned = format!(
        "{STORY}\n[[step]]\nat = \"200ms\"\nwrite = {{ path = \"/dev/kmsg\", \
         text = \"WARNING: CPU: 0 PID: 1 at drivers/md/dm-mpath.c:1 made_up+0x1/0x2\" }}\n"
    );
    let output = place.run(&place.scenario(&warned)).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("drivers/md/dm-mpath.c:1"), "{}", text(&output));
}

#[test]
fn a_guest_that_panics_exits_3_with_its_last_words() {
    let place = Place::new();
    let panic = format!(
        "{ENDLESS}\n[[step]]\nat = \"300ms\"\nwrite = {{ path = \"/proc/sysrq-trigger\", text = \"c\" }}\n"
    );
    let output = place.run(&place.scenario(&panic)).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("Kernel panic"), "{}", text(&output));
    assert_eq!(summary(&place)["verdict"], "error");
    assert_nothing_left(&place);
}

#[tokio::test]
async fn a_kernel_without_the_modules_it_needs_exits_3_with_its_console() {
    let place = Place::new();
    let store = sansim_lab::ImageStore::open().expect("a cache");
    let image = store.build("bookworm", &sansim_lab::Quiet).await.expect("the image");
    let modules = place.runtime().join("modules").join(&image.release);
    fs::create_dir_all(modules.join("kernel")).unwrap();
    let lonely = "kernel/lib/crc64.ko";
    fs::copy(image.kernel.with_file_name("modules").join(lonely), modules.join("kernel/crc64.ko"))
        .expect(lonely);
    let mut run = place.run(&place.scenario(STORY));
    run.arg("--kernel").arg(&image.kernel).arg("--modules").arg(&modules);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = text(&output);
    for part in ["has no module virtio_pci", "cannot watch virtqueue_add_sgs"] {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    fs::remove_dir_all(place.runtime().join("modules")).unwrap();
    assert_nothing_left(&place);
}

#[test]
fn a_qemu_that_is_killed_exits_3() {
    let place = Place::new();
    let child = start(place.run(&place.scenario(ENDLESS)), &place.out());
    for qemu in place.qemus() {
        signal(qemu, "KILL");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("signal 9"), "{}", text(&output));
    assert_nothing_left(&place);
}

#[test]
fn an_interrupt_leaves_nothing() {
    for name in ["INT", "TERM"] {
        let place = Place::new();
        let child = start(place.run(&place.scenario(ENDLESS)), &place.out());
        assert!(!place.qemus().is_empty());
        signal(child.id(), name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        assert_nothing_left(&place);
    }
}

#[test]
fn a_killed_sansim_takes_qemu_with_it_and_the_next_start_sweeps() {
    let place = Place::new();
    let file = place.scenario(ENDLESS);
    let child = start(place.run(&file), &place.out());
    signal(child.id(), "KILL");
    child.wait_with_output().unwrap();
    wait_for("QEMU to be gone", || place.qemus().is_empty());
    assert!(!place.left_over().is_empty(), "a killed program cannot clean up");
    let doctor = place.sansim().arg("doctor").output().unwrap();
    assert!(text(&doctor).contains("removed"), "{}", text(&doctor));
    assert_nothing_left(&place);
}

#[test]
fn a_full_disk_exits_3_and_says_so() {
    let place = Place::new();
    let Some(small) = SmallDisk::mount(&place, "32k") else { return };
    let file = place.scenario(STORY);
    let output = place.sansim().arg("run").arg(&file).arg("--out").arg(&small.0).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("free some space"), "{}", text(&output));
}

#[test]
fn a_full_disk_while_an_image_is_built_is_said_to_be_one() {
    let place = Place::new();
    // There is room for the packages, but not for the archive that is made of them.
    let Some(small) = SmallDisk::mount(&place, "900m") else { return };
    let mut build = place.sansim();
    build.args(["image", "build", "bookworm"]).env("SANSIM_CACHE", &small.0);
    let output = build.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("no space is left"), "{}", text(&output));
}
