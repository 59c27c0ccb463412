//! A private directory for sockets and other files that exist only while the program runs.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use crate::{LabError, Result};

/// Work directories are named `sansim-PID-NUMBER`.
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

    fn create_in(parent: &Path) -> Result<WorkDir> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        sweep_in(parent);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                // The directory of an earlier process with the same PID, still in use by someone.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(LabError::file("cannot create", path)(e)),
            }
            let file = path.join(LOCK);
            let failed = |e| LabError::file("cannot create", &file)(e);
            let lock = File::create(&file).map_err(failed)?;
            lock.lock().map_err(failed)?;
            // Another process's sweep may have held the lock for a moment, and removed the directory.
            if file.exists() {
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
        // Other users' directories cannot be read, and remain.
        match File::open(path.join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok() && fs::remove_dir_all(&path).is_ok(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                is_old(&path) && fs::remove_dir(&path).is_ok()
            }
            Err(_) => false,
        }
    })
    .count()
}

/// Whether a name has the form `sansim-PID-NUMBER`.
fn is_ours(name: &str) -> bool {
    let numbers = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(pid, number)| {
        [pid, number].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn is_old(path: &Path) -> bool {
    let modified = path.metadata().and_then(|meta| meta.modified());
    let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    age.is_some_and(|age| age > YOUNG)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
        for kept in ["sansim-1-1", "sansim-notes", "sansim-1-x", "other"] {
            fs::create_dir(parent.path().join(kept)).unwrap();
        }
        assert_eq!(sweep_in(parent.path()), 1);
        assert!(!left.exists() && used.path().exists());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 5);
        let hour_ago = SystemTime::now() - 2 * YOUNG;
        File::open(parent.path().join("sansim-1-1")).unwrap().set_modified(hour_ago).unwrap();
        assert_eq!(sweep_in(parent.path()), 1);
    }
}
