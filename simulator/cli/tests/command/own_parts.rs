//! The user's own kernels, userlands and initramfs that cannot be used: the error comes before anything is
//! downloaded or booted.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use crate::place::{Place, STORY, text};

type Options<'a> = &'a [(&'a str, &'a Path)];

/// Runs a scenario with an empty cache.
fn run(place: &Place, options: Options<'_>) -> Output {
    let mut run = place.run(&place.scenario(STORY));
    for (option, path) in options {
        run.arg(option).arg(path);
    }
    run.env("SANSIM_CACHE", place.path().join("cache")).output().unwrap()
}

/// The run must exit with this code, and print all of `parts`.
fn refused(place: &Place, options: Options<'_>, code: i32, parts: &[&str]) {
    let output = run(place, options);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing for {options:?}:\n{said}");
    }
}

#[test]
fn a_command_line_that_names_no_whole_kernel_exits_2() {
    let place = Place::new();
    let kernel = place.file("bzImage", b"MZ");
    let deb = place.file("a.deb", b"!<arch>\n");
    refused(&place, &[("--kernel", &kernel)], 2, &["--modules DIR", "bzImage"]);
    refused(&place, &[("--kernel", &deb), ("--kernel", &kernel)], 2, &["bzImage is none"]);
    let modules = ("--modules", place.path());
    refused(&place, &[("--kernel", &deb), modules], 2, &["leave --modules out"]);
    let nothing = Path::new("slackware");
    refused(&place, &[("--userland", nothing)], 2, &["slackware", "tar archive", "bookworm"]);
}

#[test]
fn what_is_not_what_it_should_be_exits_3_and_is_named() {
    let place = Place::new();
    let garbage = place.file("garbage", &[b'x'; 4096]);
    let package = place.file("garbage.deb", &[b'x'; 4096]);
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let modules = place.path().join("lib/modules/6.1.0-own");
    fs::create_dir_all(modules.join("kernel")).unwrap();
    let arm = place.file("Image", &[&[0; 56][..], b"ARM\x64", &[0; 64]].concat());
    let cases: [(Options<'_>, &[&str]); 7] = [
        (&[("--kernel", &package)], &["garbage.deb", "package"]),
        (&[("--kernel", &empty)], &["empty", "no build tree"]),
        (&[("--kernel", &arm), ("--modules", &modules)], &["Image", "arm64"]),
        (&[("--kernel", &arm), ("--modules", &empty)], &["holds no modules"]),
        (&[("--userland", &empty)], &["empty", "no programs", "root file system"]),
        (&[("--userland", &garbage)], &["garbage", "nor a tar archive"]),
        (&[("--initrd", &garbage)], &["garbage", "no cpio archive"]),
    ];
    for (options, parts) in cases {
        refused(&place, options, 3, parts);
    }
}

#[test]
fn an_image_needs_a_name_of_its_own_and_a_part() {
    let place = Place::new();
    let add = |words: &[&str]| {
        let mut command = place.sansim();
        command.args(["image", "add"]).args(words);
        command.env("SANSIM_CACHE", place.path().join("cache")).output().unwrap()
    };
    for (words, part) in [
        (&["mine"][..], "--kernel, --userland, --initrd or --with"),
        (&["trixie", "--userland", "bookworm"], "name of an image of ours"),
        (&["own-0123456789abcdef", "--userland", "trixie"], "made for a run"),
        (&["mine", "--image", "slackware", "--userland", "trixie"], "no image `slackware`"),
    ] {
        let output = add(words);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(part), "{part:?} is missing:\n{}", text(&output));
    }
}

/// A directory with a fake mmdebstrap that fails as the real one does when apt reaches no mirror.
fn without_mirror(dir: &Path) -> PathBuf {
    fs::create_dir(dir).unwrap();
    let program = dir.join("mmdebstrap");
    let said = "E: Failed to fetch http://x/InRelease  Could not resolve 'x'";
    fs::write(&program, format!("#!/bin/sh\necho \"{said}\" >&2\nexit 1\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    dir.to_owned()
}

#[test]
fn an_image_that_is_not_built_needs_a_mirror_and_says_so() {
    let place = Place::new();
    let mut path = without_mirror(&place.path().join("bin")).into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut run = place.run(&place.scenario(STORY));
    run.env("SANSIM_CACHE", place.path().join("cache")).env("PATH", path);
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for part in ["bookworm could not be fetched", "no mirror was reached", "Could not resolve 'x'"]
    {
        assert!(text(&output).contains(part), "{part:?} is missing:\n{}", text(&output));
    }
}
