//! From a report to a scenario, and from a run to a bundle: the commands around a run.

use std::{fs, path::PathBuf, process::Output};

use crate::place::{Place, STORY, text};

const MAPS: &str = "mpatha (3600a0b80b9b2b74025fc721800000000) dm-0 IBM,1814      FAStT\n\
                    size=256M features='1 queue_if_no_path' hwhandler='1 rdac' wp=rw\n\
                    |-+- policy='service-time 0' prio=6 status=active\n\
                    | `- 0:0:0:0 sda 8:0  active ready running\n\
                    `-+- policy='service-time 0' prio=1 status=enabled\n\
                    \x20 `- 1:0:0:0 sdb 8:16 active ghost running\n";

fn assert_said(output: &Output, code: i32, parts: &[&str]) {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

/// Runs sansim with these arguments.
fn sansim(place: &Place, arguments: &[&str]) -> Output {
    place.sansim().args(arguments).output().expect("sansim")
}

#[test]
fn an_output_becomes_a_scenario_that_check_accepts_and_nothing_is_replaced() {
    let place = Place::new();
    let maps = place.file("multipath-ll", MAPS.as_bytes());
    let out = place.path().join("imported.toml");
    let (maps, out) = (maps.to_str().unwrap(), out.to_str().unwrap());
    let import = |more: &[&str]| {
        let arguments = [&["import", "sosreport", maps, "--out", out], more].concat();
        sansim(&place, &arguments)
    };
    assert_said(&import(&[]), 0, &["read: ", "multipath -ll", "guess: ", "sansim run"]);
    assert_said(&sansim(&place, &["check", out]), 0, &["IBM 1814 FAStT"]);
    assert_said(&import(&[]), 2, &["exists", "--force"]);
    assert_said(&import(&["--force", "--keep-identity"]), 0, &[]);
    assert!(fs::read_to_string(out).unwrap().contains("b9b2b74025fc7218"));
}

#[test]
fn what_is_no_report_exits_2_and_says_what_is_read() {
    let place = Place::new();
    let file = place.file("notes", b"nothing here");
    let said = sansim(&place, &["import", "sosreport", file.to_str().unwrap()]);
    assert_said(&said, 2, &["multipath -ll"]);
    assert_said(&sansim(&place, &["import", "log", "/nowhere"]), 2, &["/nowhere"]);
    assert_said(&sansim(&place, &["compare", "/nowhere", "/nowhere"]), 2, &["/nowhere"]);
    assert_said(&sansim(&place, &["bundle", "/nowhere"]), 2, &["no directory of a run"]);
    assert_said(&sansim(&place, &["trace", "/nowhere"]), 2, &["no directory of a run"]);
}

fn run(place: &Place, out: &str, more: &str) -> PathBuf {
    let file = place.scenario(&format!("{STORY}{more}"));
    let out = place.path().join(out);
    let mut command = place.sansim();
    command.arg("run").arg(&file).arg("--out").arg(&out).args(["--seed", "1", "--time", "skip"]);
    let output = command.output().unwrap();
    assert!(output.status.code().is_some_and(|code| code <= 1), "{}", text(&output));
    out.join("latest").canonicalize().unwrap()
}

#[test]
fn runs_are_compared_and_a_bundle_is_replayed_byte_for_byte() {
    let place = Place::new();
    let one = run(&place, "one", "");
    let two =
        run(&place, "two", "\n[[step]]\nat = \"300ms\"\nlink = { port = \"A0\", up = false }\n");
    let (a, b) = (one.to_str().unwrap(), two.to_str().unwrap());
    assert_said(&sansim(&place, &["compare", a, a]), 0, &["Nothing that tells something differs"]);
    assert_said(&sansim(&place, &["compare", a, b]), 1, &["The first difference", "link"]);
    let file = place.path().join("run.tar.gz");
    let file = file.to_str().unwrap();
    assert_said(
        &sansim(&place, &["bundle", a, "--out", file]),
        0,
        &["trace.json", "sansim replay"],
    );
    let out = place.path().join("again");
    let again = sansim(&place, &["replay", file, "--out", out.to_str().unwrap()]);
    assert_said(&again, 0, &["identical: "]);
    fs::write(file, b"no bundle").unwrap();
    assert_said(&sansim(&place, &["replay", file]), 2, &["no bundle that can be used"]);
}
