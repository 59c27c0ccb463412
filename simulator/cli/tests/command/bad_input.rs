//! Invalid input gives an error message with a remedy, and the exit code that scripts rely on.

use std::{fs, path::Path};

use crate::place::{Place, STORY, text};

/// Runs `sansim check` on a scenario text, which must exit with 2, and returns standard error.
fn refused(scenario: &str) -> String {
    let place = Place::new();
    let file = place.scenario(scenario);
    let output = place.sansim().arg("check").arg(&file).output().expect("sansim");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn mistakes_in_a_scenario_are_shown_where_they_are() {
    let cases = [
        ("[[step]]\nat = \"1s\"\nfial = \"controller A\"", "fial", "fail"),
        ("[workload]\nqueue_depth = \"many\"", "queue_depth", "number"),
        ("[workload]\nblock = \"4 parsecs\"", "4 parsecs", "KiB"),
        ("[[step]]\nat = \"1s\"\nfail = \"controller C\"", "controller C", "A"),
        ("[workload]\nlun = 3", "lun", "0"),
        (
            "[[fault]]\nwhen = { op = \"MODE SLECT\" }\nthen = { delay = \"1s\" }",
            "SLECT",
            "MODE SELECT",
        ),
        ("[[step]]\nat = \"1s\"\narm = \"nothing\"", "nothing", "fault"),
        ("title = \"again\"", "title", "story.toml"),
    ];
    for (table, word, helps) in cases {
        let said = refused(&format!("{STORY}{table}\n"));
        for part in [word, helps, "story.toml"] {
            assert!(said.contains(part), "{part:?} is missing for {table:?}:\n{said}");
        }
    }
}

#[test]
fn files_that_are_not_there_or_not_text_exit_2() {
    let place = Place::new();
    let garbage = place.file("garbage.toml", &[0xff, 0xfe, 0, 1, 2]);
    for file in [Path::new("/nowhere/story.toml"), garbage.as_path()] {
        let output = place.sansim().arg("check").arg(file).output().expect("sansim");
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&*file.to_string_lossy()), "{said}");
    }
}

#[test]
fn reports_that_cannot_be_written_exit_2_before_anything_runs() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let blocked = place.file("blocked", b"a file, not a directory");
    for option in ["--junit", "--table"] {
        for path in [place.path().join("no/such/report"), blocked.join("report"), place.runtime()] {
            let output = place.run(&file).arg(option).arg(&path).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{}", text(&output));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains(&*path.to_string_lossy()), "{said}");
        }
    }
    let both = place.path().join("report");
    let mut run = place.run(&file);
    let output = run.arg("--junit").arg(&both).arg("--table").arg(&both).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(!both.exists(), "nothing was written");
    assert_eq!(fs::read_dir(place.out()).unwrap().count(), 0, "nothing was run");
}

#[test]
fn an_output_directory_that_cannot_be_written_exits_2() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let blocked = place.file("blocked", b"a file, not a directory");
    let output = place.sansim().arg("run").arg(&file).arg("--out").arg(&blocked).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--out"), "{}", text(&output));
}

#[test]
fn an_unknown_image_exits_2_and_names_the_known_ones() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let output = place.run(&file).args(["--image", "slackware"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("bookworm"), "{}", text(&output));
}

#[test]
fn skipping_time_under_kvm_exits_2_and_says_why() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let output = place.run(&file).args(["--time", "skip", "--accel", "kvm"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["TCG only", "KVM", "--time real"] {
        assert!(said.contains(part), "{part:?} is missing:\n{said}");
    }
}

#[test]
fn without_qemu_it_exits_3_and_says_what_to_install() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let output = place.run(&file).env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("apt-get install"), "{said}");
}

#[test]
fn without_an_image_and_without_mmdebstrap_it_exits_3() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let cache = place.runtime().join("cache");
    fs::create_dir(&cache).unwrap();
    let output =
        place.run(&file).env("SANSIM_CACHE", &cache).env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("apt-get install"), "{}", text(&output));
}

#[test]
fn a_kernel_that_is_none_exits_3_and_is_named() {
    let place = Place::new();
    let file = place.scenario(STORY);
    let kernel = place.file("not-a-kernel", b"hello");
    let modules = place.runtime().join("lib/modules/6.1.0-made-up");
    fs::create_dir_all(modules.join("kernel")).unwrap();
    let mut run = place.run(&file);
    run.arg("--kernel").arg(&kernel).arg("--modules").arg(&modules);
    let output = run.env("SANSIM_CACHE", place.runtime().join("cache")).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("not-a-kernel"), "{}", text(&output));
}
