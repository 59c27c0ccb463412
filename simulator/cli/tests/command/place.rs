//! Runs the real command in a temporary directory that holds everything it creates.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A minimal scenario.
pub(crate) const STORY: &str = r#"
title = "a story"
[array]
personality = "rdac"
luns = [{ size = "64MiB", owner = "A" }]
[[expect]]
commands = { op = "INQUIRY", stage = "discovery", at_least = 1 }
"#;

/// A temporary directory for run directories, runtime files and scenario files.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Place { dir: tempfile::tempdir().expect("a temporary directory") };
        fs::create_dir(place.runtime()).expect("a runtime directory");
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The value of XDG_RUNTIME_DIR: sockets and other runtime files.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.dir.path().join("runtime")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// Creates a scenario file.
    pub(crate) fn scenario(&self, text: &str) -> PathBuf {
        self.file("story.toml", text.as_bytes())
    }

    /// Creates a file with these bytes.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("a file in a temporary directory");
        path
    }

    /// The command, not started yet.
    pub(crate) fn sansim(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sansim"));
        command.env("XDG_RUNTIME_DIR", self.runtime()).env("TMPDIR", self.runtime());
        command.stdin(Stdio::null());
        command
    }

    /// `sansim run` with run directories in this place.
    pub(crate) fn run(&self, file: &Path) -> Command {
        let mut command = self.sansim();
        command.arg("run").arg(file).arg("--out").arg(self.out());
        command
    }

    /// Files that sansim has not cleaned up.
    pub(crate) fn left_over(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.runtime()).expect("the runtime directory");
        entries.map(|entry| entry.expect("an entry").path()).flat_map(|path| deep(&path)).collect()
    }

    /// Process IDs of QEMUs that belong to this directory.
    pub(crate) fn qemus(&self) -> Vec<u32> {
        let runtime = self.runtime();
        processes().into_iter().filter(|pid| is_qemu_in(*pid, &runtime)).collect()
    }
}

/// All files below a directory; empty directories do not count.
fn deep(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().flat_map(|entry| deep(&entry.path())).collect(),
        Err(_) => vec![path.to_owned()],
    }
}

/// The process IDs of all processes.
pub(crate) fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn is_qemu_in(pid: u32, runtime: &Path) -> bool {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let Ok(command) = fs::read(proc.join("cmdline")) else { return false };
    let command = String::from_utf8_lossy(&command).into_owned();
    let here = fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(runtime));
    let alive = proc.metadata().is_ok_and(|m| m.mode() != 0);
    alive
        && command.contains("qemu-system")
        && (here || command.contains(&*runtime.to_string_lossy()))
}

/// The `summary.json` of the newest run.
pub(crate) fn summary(place: &Place) -> serde_json::Value {
    let path = place.out().join("latest/summary.json");
    serde_json::from_str(&fs::read_to_string(path).expect("summary.json")).expect("JSON")
}

/// Exit status and output of a finished command, for messages.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until a condition holds; panics after a minute, which is long enough for a slow host.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a run and waits until its story has begun.
pub(crate) fn start(mut command: Command, out: &Path) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sansim");
    wait_for("the story to begin", || {
        newest_events(out).is_some_and(|text| text.contains("the story begins"))
    });
    child
}

fn newest_events(out: &Path) -> Option<String> {
    let runs = fs::read_dir(out).ok()?.flatten().map(|entry| entry.path().join("events.ndjson"));
    fs::read_to_string(runs.into_iter().find(|path| path.exists())?).ok()
}

pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(sent.expect("kill").success());
}

/// A tmpfs.
pub(crate) struct SmallDisk(pub(crate) PathBuf);

impl SmallDisk {
    /// `None`, and a word about it, for a user who may not mount anything.
    pub(crate) fn mount(place: &Place, size: &str) -> Option<SmallDisk> {
        let at = place.runtime().join("small");
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at);
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("skipped: mounting a small tmpfs needs root");
        }
        mounted.then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status().expect("umount");
        assert!(done.success());
    }
}
