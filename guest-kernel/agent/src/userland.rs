//! Programs of the guest's userland: mounting the userland, and running a program.
//!
//! The userland is a squashfs on a virtio-blk disk: the unpacked file tree, without /proc, /sys and the
//! like. The agent builds a root directory around it on a tmpfs: a writable copy of /etc, empty writable
//! /run, /tmp and /var/lib, and bind mounts of everything else.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};
use rustix::process::{Signal, chroot, kill_process_group};
use sansim_protocol::{Answer, Ended, ProgramEnd, USERLAND, USERLAND_SERIAL};

use crate::children::{Children, how};
use crate::clock::now_ns;
use crate::daemon;
use crate::fail::{Doing, Failure, Result};
use crate::modprobe::Modules;
use crate::outbox::Outbox;
use crate::thread;

/// `argv[0]` for the agent to enter the userland and execute a program there.
pub(crate) const ENTER: &str = "sansim-enter";

/// Mount point of the squashfs.
const IMAGE: &str = "/userland.image";

/// Most bytes of output that are kept per stream.
const MAX_OUTPUT: usize = 64 << 10;
/// What follows output that was cut.
const CUT: &str = "\n[sansim: the output is cut here]\n";

/// How long to wait for the end of the output after the program has ended: a daemon that it started may
/// keep the pipe open forever.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(1);
/// What follows output whose end did not come.
const OPEN: &str =
    "\n[sansim: the output goes on here: what the program started has not closed it]\n";

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The userland, mounted on first use.
pub(crate) struct Userland {
    mounted: Mutex<bool>,
    children: Children,
}

impl Userland {
    pub(crate) fn new(children: Children) -> Userland {
        Userland { mounted: Mutex::new(false), children }
    }

    /// Mounts the userland, unless it is mounted already.
    pub(crate) fn ensure(&self) -> Result<()> {
        let mut mounted = self.mounted.lock().unwrap_or_else(PoisonError::into_inner);
        if !*mounted {
            mount_image()?;
            build_root(Path::new(IMAGE), Path::new(USERLAND))?;
            *mounted = true;
        }
        Ok(())
    }

    /// Starts a long-running program; its output is reported to `outbox`.
    pub(crate) fn start(&self, name: &str, argv: &[String], outbox: &Outbox) -> Result<()> {
        self.ensure()?;
        let spawned = self.children.spawn(&mut in_background(argv));
        let (child, _, ended) = spawned.doing(|| format!("start {name}"))?;
        daemon::follow(name, child, ended, outbox)
    }

    /// Runs a program and waits until it ends. Kills its process group after `patience`.
    pub(crate) fn run(&self, argv: &[String], patience: Duration) -> Result<Answer> {
        let Some(program) = argv.first() else {
            return Err(Failure::new("no program was given"));
        };
        self.ensure()?;
        let began_ns = now_ns();
        let spawned = self.children.spawn(&mut in_background(argv));
        let (mut child, pid, ended) = spawned.doing(|| format!("run {program}"))?;
        let stdout = collect(child.stdout.take())?;
        let stderr = collect(child.stderr.take())?;
        let ended = match ended.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => {
                let _ = kill_process_group(pid, Signal::KILL);
                Ended::TimeLimit
            }
            Ok(status) => how(status),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(format!("nobody knows how {program} ended")));
            }
        };
        let ended_ns = now_ns();
        let (stdout, stderr) = (stdout.take(), stderr.take());
        Ok(Answer::Ran(ProgramEnd { ended, began_ns, ended_ns, stdout, stderr }))
    }
}

/// A command that runs the agent as `enter`, which then executes the program.
pub(crate) fn command(enter: &str, argv: &[String]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(enter).args(argv).env_clear().env("PATH", PATH).env("LANG", "C.UTF-8");
    // udevd and udevadm regard a root other than PID 1's as a chroot, in which they do nothing.
    command.env("SYSTEMD_IGNORE_CHROOT", "1");
    command
}

/// A command with standard input from /dev/null, in a process group of its own.
fn in_background(argv: &[String]) -> Command {
    let mut command = command(ENTER, argv);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    command
}

/// The output of a stream, collected by a thread.
struct Output(Receiver<Vec<u8>>);

impl Output {
    /// The output up to the end of the stream, or up to now if the end does not come within
    /// [`OUTPUT_PATIENCE`]; [`OPEN`] says so.
    fn take(&self) -> String {
        let give_up = Instant::now() + OUTPUT_PATIENCE;
        let mut bytes = Vec::new();
        loop {
            match self.0.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
                Ok(piece) => bytes.extend(piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    bytes.extend_from_slice(OPEN.as_bytes());
                    break;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Reads a stream to its end. Output beyond [`MAX_OUTPUT`] is read and discarded, so that the program does
/// not block on a full pipe; [`CUT`] says so.
fn collect(stream: Option<impl Read + Send + 'static>) -> Result<Output> {
    let (sender, receiver) = channel();
    let read = move || {
        let Some(mut stream) = stream else { return };
        let (mut room, mut is_cut) = (MAX_OUTPUT, false);
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            if is_cut {
                continue;
            }
            let kept = len.min(room);
            room -= kept;
            is_cut = kept < len;
            let mut piece = buffer[..kept].to_vec();
            if is_cut {
                piece.extend_from_slice(CUT.as_bytes());
            }
            is_cut |= sender.send(piece).is_err();
        }
    };
    thread::start("output", read)?;
    Ok(Output(receiver))
}

/// Runs the agent as wrapper: enters the userland and executes the program.
pub(crate) fn enter(argv: impl Iterator<Item = String>) -> ExitCode {
    let argv: Vec<String> = argv.collect();
    let Some((program, arguments)) = argv.split_first() else { return ExitCode::from(127) };
    let entered = chroot(USERLAND).and_then(|()| rustix::process::chdir("/"));
    if let Err(errno) = entered {
        eprintln!("cannot enter the userland: {errno}");
        return ExitCode::from(126);
    }
    let error = Command::new(program).args(arguments).exec();
    eprintln!("cannot run {program}: {error}");
    ExitCode::from(127)
}

fn mount_image() -> Result<()> {
    let modules = Modules::open()?;
    for module in ["virtio_blk", "squashfs"] {
        modules.load(module)?;
    }
    let Some(disk) = find_disk(Path::new("/sys/block")) else {
        return Err(Failure::new(format!(
            "no userland is attached: there is no virtio-blk disk with serial number \
             {USERLAND_SERIAL}"
        )));
    };
    fs::create_dir_all(IMAGE).doing(|| format!("create {IMAGE}"))?;
    mount(&disk, IMAGE, "squashfs", MountFlags::RDONLY, None)
        .doing(|| format!("mount {disk} as a squashfs"))
}

/// The device node of the userland's disk.
fn find_disk(block: &Path) -> Option<String> {
    let mut disks = fs::read_dir(block).ok()?.flatten();
    let disk = disks.find(|disk| {
        let serial = fs::read_to_string(disk.path().join("serial"));
        serial.is_ok_and(|serial| serial.trim() == USERLAND_SERIAL)
    })?;
    Some(format!("/dev/{}", disk.file_name().into_string().ok()?))
}

/// Builds the root directory described [above](self).
fn build_root(image: &Path, root: &Path) -> Result<()> {
    directory(root)?;
    tmpfs(root)?;
    mirror(image, root, &["dev", "etc", "proc", "run", "sys", "tmp", "var"])?;
    for (source, name) in [("/proc", "proc"), ("/sys", "sys"), ("/dev", "dev")] {
        let target = root.join(name);
        directory(&target)?;
        mount_bind_recursive(source, &target).doing(|| format!("bind {}", target.display()))?;
    }
    for name in ["run", "tmp"] {
        directory(&root.join(name))?;
    }
    let _ = fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777));
    copy_tree(&image.join("etc"), &root.join("etc"))?;
    directory(&root.join("var"))?;
    mirror(&image.join("var"), &root.join("var"), &["lib", "tmp", "log", "cache"])?;
    for name in ["var/lib", "var/tmp", "var/log", "var/cache"] {
        directory(&root.join(name))?;
    }
    Ok(())
}

fn directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).doing(|| format!("create {}", path.display()))
}

fn tmpfs(path: &Path) -> Result<()> {
    mount("tmpfs", path, "tmpfs", MountFlags::empty(), None)
        .doing(|| format!("mount a tmpfs on {}", path.display()))
}

/// Bind-mounts the directories of `from` into `to` and copies its symbolic links, except those named.
fn mirror(from: &Path, to: &Path, except: &[&str]) -> Result<()> {
    for (source, name) in entries(from)? {
        let target = to.join(&name);
        let kind =
            fs::symlink_metadata(&source).doing(|| format!("look at {}", source.display()))?;
        if except.iter().any(|e| Path::new(e) == name) {
            continue;
        } else if kind.is_symlink() {
            repeat_link(&source, &target)?;
        } else if kind.is_dir() {
            directory(&target)?;
            mount_bind(&source, &target).doing(|| format!("bind {}", target.display()))?;
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    directory(to)?;
    for (source, name) in entries(from)? {
        let target = to.join(name);
        let kind =
            fs::symlink_metadata(&source).doing(|| format!("look at {}", source.display()))?;
        if kind.is_symlink() {
            repeat_link(&source, &target)?;
        } else if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).doing(|| format!("copy {}", source.display()))?;
        }
    }
    Ok(())
}

fn repeat_link(source: &Path, target: &Path) -> Result<()> {
    let link = fs::read_link(source).doing(|| format!("read {}", source.display()))?;
    symlink(link, target).doing(|| format!("create {}", target.display()))
}

/// Path and name of every directory entry; empty if the directory does not exist.
fn entries(dir: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).doing(|| format!("read {}", dir.display()))?;
    Ok(entries.flatten().map(|e| (e.path(), PathBuf::from(e.file_name()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_to_its_end_and_kept_within_bounds() {
        let output = collect(Some(std::io::repeat(b'x').take(1 << 20))).unwrap();
        let text = output.take();
        assert_eq!(text.len(), MAX_OUTPUT + CUT.len());
        assert!(text.ends_with(CUT));
        let output = collect(Some(&b"\xffok"[..])).unwrap();
        assert_eq!(output.take(), "\u{fffd}ok");
    }

    #[test]
    fn output_that_somebody_keeps_open_is_told_so() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"so far").unwrap();
        assert_eq!(collect(Some(reader)).unwrap().take(), format!("so far{OPEN}"));
        drop(writer);
    }

    #[test]
    fn a_tree_is_copied_with_its_links() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("multipath")).unwrap();
        fs::write(from.join("multipath/conf"), "x").unwrap();
        symlink("conf", from.join("multipath/link")).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("multipath/conf")).unwrap(), "x");
        assert_eq!(fs::read_link(to.join("multipath/link")).unwrap(), Path::new("conf"));
    }
}
