use std::{io::Write, os::unix::fs::symlink, process::Command};

use super::*;
use crate::host::programs;

/// Looks for files with this name.
struct Named {
    name: &'static str,
    found: Vec<(String, Vec<u8>)>,
    /// How many are enough.
    enough: usize,
}

impl Named {
    fn search(name: &'static str, enough: usize, path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
        let mut named = Named { name, found: Vec::new(), enough };
        search(path, &mut named).map(|()| named.found)
    }
}

impl Search for Named {
    fn is_wanted(&self, path: &str) -> bool {
        path.rsplit('/').next() == Some(self.name)
    }

    fn take(&mut self, path: &str, bytes: Vec<u8>) -> ControlFlow<()> {
        self.found.push((path.to_owned(), bytes));
        match self.found.len() == self.enough {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn tar_with(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(bytes).unwrap();
    xz.finish().unwrap()
}

/// A package with these files; `None` without dpkg-deb.
fn package(dir: &Path, files: &[(&str, &[u8])]) -> Option<PathBuf> {
    let program = programs::find("dpkg-deb").ok()?;
    let tree = dir.join("tree");
    let control: &[u8] =
        b"Package: a\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@b.c>\nDescription: x\n";
    for (name, bytes) in files.iter().chain(&[("DEBIAN/control", control)]) {
        let path = tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let out = dir.join("a.deb");
    let made = Command::new(program).arg("-b").args([&tree, &out]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    Some(out)
}

#[test]
fn a_file_is_found_wherever_it_is_and_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("lib/{}/a.ko", "x".repeat(150));
    let files: [(&str, &[u8]); 3] =
        [("lib/a.ko", b"first"), ("lib/b.ko", b"other"), (&long, &packed(b"second"))];
    let (plain, xz) = (dir.path().join("a.tar"), dir.path().join("a.tar.xz"));
    fs::write(&plain, tar_with(&files)).unwrap();
    fs::write(&xz, packed(&tar_with(&files))).unwrap();
    let deb = package(dir.path(), &files);
    for path in [Some(plain), Some(xz), Some(dir.path().join("tree")), deb].into_iter().flatten() {
        let Ok(mut found) = Named::search("a.ko", 9, &path) else { panic!("{}", path.display()) };
        found.sort();
        let expected = [("lib/a.ko", "first"), (&long, "second")];
        assert_eq!(found.len(), expected.len(), "{}", path.display());
        for ((name, bytes), (own, text)) in found.iter().zip(expected) {
            assert_eq!((name.as_str(), &bytes[..]), (own, text.as_bytes()), "{}", path.display());
        }
        assert_eq!(Named::search("a.ko", 1, &path).unwrap().len(), 1, "it goes on");
    }
}

#[test]
fn the_archive_of_sources_in_a_package_is_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let sources = packed(&tar_with(&[("linux-source-6.1/drivers/md/dm-mpath.c", b"text")]));
    let files: [(&str, &[u8]); 1] = [("usr/src/linux-source-6.1.tar.xz", &sources)];
    let Some(deb) = package(dir.path(), &files) else { return };
    let found = Named::search("dm-mpath.c", 9, &deb).unwrap();
    assert_eq!(found, [("linux-source-6.1/drivers/md/dm-mpath.c".to_owned(), b"text".to_vec())]);
}

#[test]
fn links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, secret) = (dir.path().join("tree"), dir.path().join("a.ko"));
    fs::create_dir_all(tree.join("real")).unwrap();
    fs::write(&secret, "outside").unwrap();
    symlink(&secret, tree.join("a.ko")).unwrap();
    symlink(dir.path(), tree.join("up")).unwrap();
    assert_eq!(Named::search("a.ko", 9, &tree).unwrap(), []);
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let why = |path: &Path| Named::search("a.ko", 9, path).unwrap_err().to_string();
    assert!(why(&dir.path().join("nothing")).contains("cannot read"));
    let pipe = dir.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert!(why(&pipe).contains("neither a directory nor a regular file"));
    let text = dir.path().join("text");
    fs::write(&text, "no archive at all".repeat(100)).unwrap();
    assert!(why(&text).contains("cannot read"), "{}", why(&text));
    let cut = dir.path().join("cut.tar");
    fs::write(&cut, &tar_with(&[("a.ko", &[1; 3000])])[..2000]).unwrap();
    assert!(why(&cut).contains("cannot read"), "{}", why(&cut));
    // Random bytes do not pack, so that what is cut off is what is looked for.
    let noise: Vec<u8> =
        (0..200_000u32).map(|it| (it.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    let Some(deb) = package(dir.path(), &[("lib/b.ko", &noise), ("lib/z/a.ko", b"x")]) else {
        return;
    };
    let bytes = fs::read(&deb).unwrap();
    fs::write(&deb, &bytes[..bytes.len() / 2]).unwrap();
    assert!(why(&deb).contains("the package"), "{}", why(&deb));
}

/// Any bytes as an archive, in a package or alone.
fn any_archive(bytes: &[u8]) {
    for in_package in [false, true] {
        let mut named = Named { name: "a.ko", found: Vec::new(), enough: 3 };
        let _ = archive(bytes, in_package, &mut named);
        assert!(named.found.len() <= 3);
        assert!(named.found.iter().all(|(_, bytes)| bytes.len() as u64 <= LARGEST));
    }
}

#[test]
fn no_bytes_make_it_panic() {
    sansim_fuzz::fuzz("searched", any_archive);
}
