use std::io::Write;

use Kind::{Directory, Regular, Symlink};
use cpio::newc::{Builder, ModeFileType, trailer};

use super::*;
use crate::image::decompress::tests::compressed;

#[derive(Clone, Copy)]
enum Kind {
    Directory,
    Regular,
    Symlink,
}

fn archive(files: &[(&str, Kind, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, data) in files {
        let kind = match kind {
            Directory => ModeFileType::Directory,
            Regular => ModeFileType::Regular,
            Symlink => ModeFileType::Symlink,
        };
        let builder = Builder::new(name).mode(0o755).set_mode_file_type(kind);
        let mut entry = builder.write(&mut out, data.len() as u32);
        entry.write_all(data.as_bytes()).unwrap();
        entry.finish().unwrap();
    }
    trailer(&mut out).unwrap();
    out
}

fn names(initrd: &UserInitrd) -> Vec<&str> {
    initrd.entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn archives_follow_each_other_packed_or_not() {
    let early = archive(&[("kernel/x86", Directory, ""), ("kernel/x86/microcode", Regular, "abc")]);
    let main = archive(&[("./init", Regular, "#!/bin/sh"), ("lib", Symlink, "usr/lib")]);
    for (how, packed) in compressed(&main) {
        let file = [&early[..], &[0; 512], &packed, &[0; 3], &main].concat();
        let initrd = UserInitrd::parse(&file).unwrap();
        let expected = ["kernel/x86", "kernel/x86/microcode", "init", "lib", "init", "lib"];
        assert_eq!(names(&initrd), expected, "{how:?}");
        assert_eq!(initrd.entries[1].data(), b"abc");
        let again = [initrd.archive("6.1"), archive(&[])].concat();
        assert_eq!(UserInitrd::parse(&again).unwrap(), initrd);
    }
}

#[test]
fn what_is_none_is_said() {
    let good = archive(&[("a", Regular, "text")]);
    let cases: [(Vec<u8>, &str); 8] = [
        (Vec::new(), "nothing in it"),
        (vec![0; 4096], "nothing in it"),
        (archive(&[]), "nothing in it"),
        (b"no cpio".to_vec(), "no cpio archive"),
        (b"070707 is older".to_vec(), "no cpio archive"),
        (vec![0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0], "packed with lz4"),
        (good[..114].to_vec(), "does not end"),
        ([&good[..20], &b"zzzzzzzz"[..], &good[28..]].concat(), "no numbers"),
    ];
    for (file, part) in cases {
        let why = UserInitrd::parse(&file).unwrap_err();
        assert!(why.contains(part), "{why:?} does not say {part:?}");
    }
    for (how, packed) in compressed(&b"no cpio".repeat(99)) {
        assert!(UserInitrd::parse(&packed).unwrap_err().contains("no cpio archive"), "{how:?}");
        let cut = &packed[..packed.len() - 9];
        assert!(UserInitrd::parse(cut).unwrap_err().contains("cannot be unpacked"), "{how:?}");
    }
}

#[test]
fn its_modules_are_found_and_their_indexes_are_not_kept() {
    let initrd = UserInitrd::parse(&archive(&[
        ("usr/lib/modules/6.1", Directory, ""),
        ("usr/lib/modules/6.1/modules.dep", Regular, "x"),
        ("usr/lib/modules/6.1/kernel/a.ko.xz", Regular, "a"),
        ("lib/firmware/b.bin", Regular, "b"),
    ]))
    .unwrap();
    let modules = initrd.modules("6.1").unwrap();
    assert_eq!(modules, [("kernel/a.ko.xz".to_owned(), b"a".to_vec())].into());
    let kept = [initrd.archive("6.1"), archive(&[])].concat();
    assert_eq!(
        names(&UserInitrd::parse(&kept).unwrap()),
        ["usr/lib/modules/6.1", "lib/firmware/b.bin"]
    );
    let why = initrd.modules("6.12").unwrap_err();
    assert_eq!(why, "its modules are of 6.1, and the kernel is 6.12");
}

#[test]
fn links_are_followed_as_the_kernel_does() {
    let layout = UserInitrd::parse(&archive(&[
        ("lib", Symlink, "usr/lib"),
        ("sbin", Symlink, "/usr/sbin"),
        ("usr/sbin", Symlink, "bin"),
        ("usr", Directory, ""),
        ("up", Symlink, "../../usr"),
        ("round", Symlink, "round"),
        ("gone", Symlink, "usr"),
        ("gone", Directory, ""),
    ]))
    .unwrap()
    .layout();
    for (name, real) in [
        ("lib/modules/6.1", "usr/lib/modules/6.1"),
        ("sbin", "usr/bin"),
        ("up/x", "usr/x"),
        ("round/x", "round/x"),
        ("gone/x", "gone/x"),
        ("newroot", "newroot"),
    ] {
        assert_eq!(layout.resolve(name), real, "{name}");
    }
    assert!(layout.has_directory("usr") && !layout.has_directory("lib"));
}

/// Any bytes are an initramfs whose parts can be used, or are refused.
fn initramfs(bytes: &[u8]) {
    let Ok(initrd) = UserInitrd::parse(bytes) else { return };
    let again = [initrd.archive("no release"), archive(&[])].concat();
    assert_eq!(UserInitrd::parse(&again).as_ref(), Ok(&initrd));
    let _ = initrd.modules("6.1");
    let layout = initrd.layout();
    for entry in &initrd.entries {
        let _ = (layout.resolve(&entry.name), layout.has_directory(&entry.name));
    }
    let smaller = UserInitrd::parse(&[initrd.archive("6.1"), archive(&[])].concat());
    assert!(smaller.is_err() || smaller.unwrap().entries.len() <= initrd.entries.len());
}

#[test]
fn no_bytes_make_it_panic() {
    sansim_fuzz::fuzz("initramfs", initramfs);
}
