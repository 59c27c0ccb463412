//! `sansim coverage --debug --source`: lines of source of a coverage, by the debug information of the same build.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::place::{Place, text};

/// A relocatable file with debug information, and its source (simulator/coverage/src/debug/fixture).
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../coverage/src/debug/fixture");
const BUILD: &str = "c11e2913ceaab62f8e92bdff986e1fe106ecb5ed";

/// A coverage of the fixture as a module, of which one block was executed, and one was not.
fn coverage(place: &Place, name: &str, kernel: &str, build: Option<&str>) -> PathBuf {
    let build = build.map(|id| format!(r#","build_id":"{id}""#)).unwrap_or_default();
    let block = |offset: u32, bytes: u32, function: &str, reached: &str| {
        format!(
            r#"{{"kind":"block","image":"own","module":"count","section":".text","offset":{offset},"bytes":{bytes},"function":"{function}","at":0,"calls":[],"asserts":false,"code":["nop"],"runs":0,"shortest":{reached}}}"#
        )
    };
    let lines = [
        format!(r#"{{"kind":"image","image":"own","kernel":"{kernel}","runs":1,"lost":0}}"#),
        format!(
            r#"{{"kind":"module","image":"own","module":"count"{build},"executed":1,"blocks":2}}"#
        ),
        block(0, 0x10, "count", r#"{"scenario":"a.toml","seconds":1.0}"#),
        block(0x70, 0xf, "twice", "null"),
    ];
    let dir = place.path().join(name);
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("coverage.ndjson"), lines.join("\n")).unwrap();
    dir
}

/// The fixture where a kernel's debug package has its modules.
fn debug(dir: &Path, file: &str) -> PathBuf {
    let kernel = dir.join("usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/drivers");
    fs::create_dir_all(&kernel).unwrap();
    fs::copy(Path::new(FIXTURE).join(file), kernel.join("count.ko")).unwrap();
    dir.to_owned()
}

/// A package of a directory; `None` without dpkg-deb.
fn package(tree: &Path) -> Option<PathBuf> {
    let control =
        "Package: a\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@b.c>\nDescription: x\n";
    fs::create_dir(tree.join("DEBIAN")).unwrap();
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let out = tree.with_extension("deb");
    let made = Command::new("dpkg-deb").arg("-b").args([tree, &out]).output().ok()?;
    made.status.success().then_some(out)
}

/// `sansim coverage` with these options: the exit code, and what it says.
fn told(place: &Place, dir: &Path, options: &[(&str, &Path)]) -> (Option<i32>, String) {
    let mut command = place.sansim();
    command.arg("coverage").arg(dir);
    options.iter().for_each(|(option, path)| {
        command.arg(option).arg(path);
    });
    let output = command.output().unwrap();
    (output.status.code(), text(&output))
}

#[test]
fn lines_are_found_in_packages_and_directories_and_shown_with_their_text() {
    let place = Place::new();
    let dir = coverage(&place, "coverage", "6.1.0-9-amd64", Some(BUILD));
    let tree = debug(&place.path().join("tree"), "count.o");
    let out = place.path().join("out");
    let source = Path::new(FIXTURE);
    for path in [Some(tree.clone()), package(&tree)].into_iter().flatten() {
        let (code, said) =
            told(&place, &dir, &[("--debug", &path), ("--source", source), ("--out", &out)]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("| own | count | 6 | 3 | 50.0 % | 0 | 0 | 50.0 % |"), "{said}");
        let page = fs::read_to_string(out.join("index.html")).unwrap();
        assert!(page.contains("while (times-- &gt; 0)"), "{page}");
    }
    // What was written has the lines; only the text is needed again.
    let (code, said) = told(&place, &out, &[("--source", source), ("--out", &out)]);
    assert!(code == Some(0) && said.contains("50.0 %"), "{said}");
    let output = place.sansim().arg("coverage").arg(&out).arg("--open").output().unwrap();
    assert!(text(&output).contains("count.c:29, 30 (twice)"), "{}", text(&output));
}

#[test]
fn debug_information_that_is_not_there_or_of_another_build_is_named() {
    let place = Place::new();
    let refused = |dir: &Path, path: &Path, part: &str| {
        let (code, said) = told(&place, dir, &[("--debug", path)]);
        assert!(code == Some(2) && said.contains(part), "{part:?} is not in {said}");
    };
    let dir = coverage(&place, "coverage", "6.1.0-9-amd64", Some(BUILD));
    let other = debug(&place.path().join("other"), "count-4.o");
    let package_to_get = "of 6.1.0-9-amd64: apt-get download linux-image-6.1.0-9-amd64-dbg";
    refused(&dir, &place.path().join("nothing"), "cannot read");
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    refused(&dir, &empty, package_to_get);
    refused(&dir, &other, "is of another build");
    refused(&dir, &place.file("text", &[b'x'; 5000]), "cannot read");
    let old = coverage(&place, "old", "6.1.0-9-amd64", None);
    refused(&old, &other, "run with --coverage again");
    let wrong = coverage(&place, "wrong", "6.1.0-9-amd64", Some("no number"));
    refused(&wrong, &other, "line 2: a build id has lower-case hexadecimal digits");
    // A file of the right build that is damaged.
    let tree = debug(&place.path().join("damaged"), "count.o");
    let file = tree.join("usr/lib/debug/lib/modules/6.1.0-9-amd64/kernel/drivers/count.ko");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(3).position(|it| it == [10, 0x11, 1]).unwrap();
    bytes[at] = 0x7f;
    fs::write(&file, &bytes).unwrap();
    refused(&dir, &tree, "count.ko: its debug information is damaged");
    if let Some(deb) = package(&tree) {
        let bytes = fs::read(&deb).unwrap();
        fs::write(&deb, &bytes[..bytes.len() - 500]).unwrap();
        refused(&dir, &deb, "the package");
    }
}

#[test]
fn sources_of_another_kernel_are_not_shown() {
    let place = Place::new();
    let dir = coverage(&place, "coverage", "6.1.0-9-amd64", Some(BUILD));
    let tree = debug(&place.path().join("tree"), "count.o");
    let source = place.path().join("linux");
    fs::create_dir(&source).unwrap();
    fs::copy(Path::new(FIXTURE).join("count.c"), source.join("count.c")).unwrap();
    let out = place.path().join("out");
    for (makefile, remark) in [
        ("VERSION = 6\nPATCHLEVEL = 1\n", None),
        (
            "VERSION = 6\nPATCHLEVEL = 12\n",
            Some("are those of Linux 6.12, which is none of the kernels"),
        ),
    ] {
        fs::write(source.join("Makefile"), makefile).unwrap();
        let (code, said) =
            told(&place, &dir, &[("--debug", &tree), ("--source", &source), ("--out", &out)]);
        assert_eq!(code, Some(0), "{said}");
        let page = fs::read_to_string(out.join("index.html")).unwrap();
        assert_eq!(page.contains("while (times"), remark.is_none());
        assert!(remark.is_none_or(|remark| said.contains(remark)), "{said}");
    }
    let (_, said) = told(&place, &dir, &[("--debug", &tree), ("--source", &tree)]);
    assert!(said.contains("there are no sources of the modules"), "{said}");
}

#[test]
fn options_that_show_nothing_are_said() {
    let place = Place::new();
    let file = place.scenario(crate::place::STORY);
    let output = place.run(&file).arg("--debug").arg(place.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("--debug and --source are for --coverage"), "{}", text(&output));
    let dir = coverage(&place, "coverage", "6.1.0-9-amd64", Some(BUILD));
    let (code, said) = told(&place, &dir, &[("--source", Path::new(FIXTURE))]);
    assert!(code == Some(0) && said.contains("give --debug, too"), "{said}");
}

/// On a guest: before its story is told.
#[test]
fn debug_information_that_is_missing_is_said_before_the_first_run() {
    let place = Place::new();
    let file = place.scenario(crate::place::STORY);
    let option = format!("--coverage={}", place.path().join("coverage").display());
    let refused = |options: &[&str], part: &str| {
        let output = place.run(&file).arg(&option).args(options).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let said = text(&output);
        assert!(said.contains(part) && !said.contains("pass"), "{said}");
    };
    let here = place.path().display().to_string();
    refused(&["--debug", &here], "no debug information for dm_multipath");
    refused(&["--source", &here], "--source needs --debug");
    refused(&["--debug", &here, "--source", "/nothing/here"], "cannot read /nothing/here");
}
