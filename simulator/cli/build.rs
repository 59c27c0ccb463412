//! Says to the command which commit it is built from, for `sansim --version`. Outside git, or without it,
//! there is none.

use std::{env, fs, path::Path, process::Command};

fn main() {
    watch("build.rs");
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=SANSIM_VERSION={version}");
}

/// The commit, with `-dirty` if a file that git knows is another one than there.
fn commit() -> Option<String> {
    // A tree that was unpacked within somebody else's repository has no commit.
    git(&["rev-parse", "--show-prefix"]).filter(|prefix| prefix == "simulator/cli/")?;
    let commit = git(&["rev-parse", "--short=7", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    watch_head()?;
    watch_sources();
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

/// What git prints, without the line end; none if it fails or is not there.
fn git(args: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("--no-optional-locks").args(args);
    // A hook of git's has these, and they are not about this directory.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"] {
        git.env_remove(name);
    }
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}

/// Has cargo look out for another commit. A worktree has a HEAD of its own, and the repository's refs.
fn watch_head() -> Option<()> {
    watch(&git(&["rev-parse", "--git-path", "HEAD"])?);
    let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]) else { return Some(()) };
    watch_or_above(&git(&["rev-parse", "--git-path", &branch])?);
    watch(&git(&["rev-parse", "--git-path", "packed-refs"])?);
    Some(())
}

/// Has cargo look out for changes of what the command and the agent are made from, and nothing else: a test
/// that is edited is no reason to build them again.
fn watch_sources() {
    for file in ["Cargo.toml", "Cargo.lock", ".cargo", "guest-kernel"] {
        watch(&format!("../../{file}"));
    }
    for entry in fs::read_dir("..").into_iter().flatten().flatten() {
        let folder = entry.path();
        for part in ["Cargo.toml", "src", "models"] {
            watch(&folder.join(part).to_string_lossy());
        }
    }
}

/// A ref that is only in packed-refs has no file until the next commit: then that is seen in the folder
/// where it will be.
fn watch_or_above(file: &str) {
    if let Some(there) = Path::new(file).ancestors().find(|path| path.exists()) {
        watch(&there.to_string_lossy());
    }
}

/// Cargo takes a file that is not there for one that has changed, each time.
fn watch(file: &str) {
    if Path::new(file).exists() {
        println!("cargo::rerun-if-changed={file}");
    }
}
