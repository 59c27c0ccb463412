//! A private directory for sockets and other files that exist only while the program runs.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{Mode, OFlags},
    process::geteuid,
};

use crate::{LabError, Result};

/// Work directories are named `sansim-PID-RANDOM`: nobody can take the name before.
const PREFIX: &str = "sansim-";
/// Locked with flock while the directory is in use. The kernel releases the lock when the process ends for
/// any reason. A PID alone could belong to a later process.
const LOCK: &str = "lock";
/// A directory without a lock file may be under construction, or its creator was killed in that moment. It
/// is removed only when it is older than this.
const YOUNG: Duration = Duration::from_secs(3600);

/// A work directory (mode 0700) in `$XDG_RUNTIME_DIR` or the directory for temporary files. Removed on
/// drop.
#[derive(Debug)]
pub struct WorkDir {
    path: PathBuf,
    _lock: File,
}

impl WorkDir {
    /// Creates a directory that contains only its lock. Removes those of killed programs first.
    ///
    /// # Errors
    /// `File`, or `DiskFull`.
    pub fn create() -> Result<WorkDir> {
        WorkDir::create_in(&parent())
    }

    /// The same in another directory, for files that are moved to it.
    ///
    /// # Errors
    /// `File`, or `DiskFull`.
    pub fn create_in(parent: &Path) -> Result<WorkDir> {
        sweep_in(parent);
        loop {
            let prefix = format!("{PREFIX}{}-", std::process::id());
            let private = fs::Permissions::from_mode(0o700);
            let mut builder = tempfile::Builder::new();
            let made = builder.prefix(&prefix).permissions(private).tempdir_in(parent);
            let path = made.map_err(LabError::file("cannot create", parent))?.keep();
            let file = path.join(LOCK);
            let failed = |e| LabError::file("cannot create", &file)(e);
            let lock = File::create_new(&file).map_err(failed)?;
            // Another process's sweep may hold the lock for a moment, after which the directory is gone.
            if lock.try_lock().is_ok() && file.exists() {
                return Ok(WorkDir { path, _lock: lock });
            }
        }
    }

    /// Absolute path, short enough for the Unix sockets in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directories whose process has ended. Returns how many were removed. Kills no process.
    pub fn sweep() -> usize {
        sweep_in(&parent())
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::debug!("cannot remove {}: {error}", self.path.display());
        }
    }
}

fn parent() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute() && dir.is_dir())
        .unwrap_or_else(std::env::temp_dir)
}

fn sweep_in(parent: &Path) -> usize {
    let Ok(entries) = fs::read_dir(parent) else { return 0 };
    let ours = entries.flatten().filter(|entry| is_ours(&entry.file_name().to_string_lossy()));
    ours.filter(|entry| {
        let path = entry.path();
        if !is_own_directory(&path) {
            return false;
        }
        match open_lock(&path.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok() && fs::remove_dir_all(&path).is_ok(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                is_old(&path) && fs::remove_dir(&path).is_ok()
            }
            Err(_) => false,
        }
    })
    .count()
}

/// Whether a name has the form `sansim-PID-RANDOM`.
fn is_ours(name: &str) -> bool {
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(pid, random)| {
        let digits = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
        digits && !random.is_empty() && random.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// Whether this is a directory of this user, not a link: in a shared directory anybody may make one of such a
/// name.
fn is_own_directory(path: &Path) -> bool {
    let meta = fs::symlink_metadata(path);
    meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == geteuid().as_raw())
}

/// Opens a lock file, without following a link and without waiting for the other end of a FIFO.
fn open_lock(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

fn is_old(path: &Path) -> bool {
    let modified = path.metadata().and_then(|meta| meta.modified());
    let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    age.is_some_and(|age| age > YOUNG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_and_goes_with_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        let one = WorkDir::create_in(parent.path()).unwrap();
        let two = WorkDir::create_in(parent.path()).unwrap();
        assert_ne!(one.path(), two.path());
        assert_eq!(one.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(one.path().join("socket"), "").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().exists());
    }

    #[test]
    fn what_killed_programs_left_is_swept_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let used = WorkDir::create_in(parent.path()).unwrap();
        let left = parent.path().join("sansim-1-0");
        fs::create_dir_all(left.join("deep")).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        for kept in ["sansim-1-1", "sansim-notes", "sansim-1-x.y", "other"] {
            fs::create_dir(parent.path().join(kept)).unwrap();
        }
        assert_eq!(sweep_in(parent.path()), 1);
        assert!(!left.exists() && used.path().exists());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 5);
        let hour_ago = SystemTime::now() - 2 * YOUNG;
        File::open(parent.path().join("sansim-1-1")).unwrap().set_modified(hour_ago).unwrap();
        assert_eq!(sweep_in(parent.path()), 1);
    }

    #[test]
    fn what_a_neighbour_leaves_under_such_a_name_stops_nobody() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join(LOCK), "").unwrap();
        let place = |name: &str| parent.path().join(name);
        std::os::unix::fs::symlink(elsewhere.path(), place("sansim-1-link")).unwrap();
        fs::create_dir(place("sansim-2-fifo")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        let mode = Mode::from_raw_mode(0o666);
        for name in ["sansim-2-fifo/lock", "sansim-3-x"] {
            rustix::fs::mknodat(rustix::fs::CWD, place(name), fifo, mode, 0).unwrap();
        }
        fs::create_dir(place("sansim-4-lock")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join(LOCK), place("sansim-4-lock/lock"))
            .unwrap();
        let made = WorkDir::create_in(parent.path()).unwrap();
        assert!(made.path().exists() && elsewhere.path().join(LOCK).exists());
        assert!(place("sansim-1-link").symlink_metadata().is_ok());
    }
}
