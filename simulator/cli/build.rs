//! Passes the git commit to the build, for `sansim --version`. Outside a git repository, or without git,
//! the version has no commit.

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

/// The commit, with `-dirty` if a tracked file has changed.
fn commit() -> Option<String> {
    // Sources unpacked inside another repository have no commit.
    git(&["rev-parse", "--show-prefix"]).filter(|prefix| prefix == "simulator/cli/")?;
    let commit = git(&["rev-parse", "--short=7", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    watch_head()?;
    watch_sources();
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

/// What git prints, without the trailing newline; `None` if git fails or is not installed.
fn git(args: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("--no-optional-locks").args(args);
    // git sets these for its hooks, where they refer to another directory.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"] {
        git.env_remove(name);
    }
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}

/// Makes cargo rerun this script on a new commit. A worktree has its own HEAD, and shares the refs.
fn watch_head() -> Option<()> {
    watch(&git(&["rev-parse", "--git-path", "HEAD"])?);
    let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]) else { return Some(()) };
    watch_or_above(&git(&["rev-parse", "--git-path", &branch])?);
    watch(&git(&["rev-parse", "--git-path", "packed-refs"])?);
    Some(())
}

/// Makes cargo rerun this script on changes to the sources of the command and the agent only: an edited test
/// must not rebuild them.
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

/// A ref that is only in packed-refs has no file until the next commit; until then, watch the closest
/// directory that exists.
fn watch_or_above(file: &str) {
    if let Some(there) = Path::new(file).ancestors().find(|path| path.exists()) {
        watch(&there.to_string_lossy());
    }
}

/// Only existing files: cargo treats a missing file as changed in every build.
fn watch(file: &str) {
    if Path::new(file).exists() {
        println!("cargo::rerun-if-changed={file}");
    }
}
