//! The committed inputs of each target, and those on which a harness failed.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

/// An input with its file.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The corpus of a target, in the order of the names.
pub(crate) fn read(target: &str) -> Vec<Input> {
    let dir = top().join("simulator/fuzz/corpus").join(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", dir.display());
    let input = |path: PathBuf| Input { bytes: fs::read(&path).expect("a file"), path };
    paths.into_iter().map(input).collect()
}

/// Keeps an input on which a harness failed. Returns the command that repeats it.
pub(crate) fn keep(target: &str, bytes: &[u8]) -> String {
    let dir = top().join("target/fuzz").join(target);
    let path = dir.join("found-by-test");
    match fs::create_dir_all(&dir).and_then(|()| fs::write(&path, bytes)) {
        Ok(()) => repeat(target, &path),
        Err(why) => format!("it cannot be kept in {}: {why}", path.display()),
    }
}

fn repeat(target: &str, path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    format!("ci/fuzz {target} --repeat {}", path.display())
}

/// Says how to repeat an input of the corpus if its harness panics.
pub(crate) struct Told<'a> {
    pub(crate) target: &'a str,
    pub(crate) path: &'a Path,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("to repeat it: {}", repeat(self.target, self.path));
        }
    }
}
