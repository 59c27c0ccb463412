//! The directory that holds the places of all labs of a user.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{Mode, OFlags};

use super::{LOCK, PlaceError, check};

/// Where it is: in `$XDG_RUNTIME_DIR`, or else in `/tmp`, where every shell of the user finds it; in the home
/// directory if somebody else has that name.
pub(super) fn path() -> PathBuf {
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match given.filter(|path| path.is_absolute() && path.is_dir()) {
        Some(path) => path.join("sansim"),
        None => {
            let user = rustix::process::geteuid().as_raw();
            let path = PathBuf::from(format!("/tmp/sansim-{user}"));
            let somebody_elses =
                fs::symlink_metadata(&path).is_ok_and(|meta| !meta.is_dir() || meta.uid() != user);
            match std::env::var_os("HOME").filter(|home| somebody_elses && !home.is_empty()) {
                Some(home) => PathBuf::from(home).join(".sansim"),
                None => path,
            }
        }
    }
}

/// How long another sansim may hold the directory. It takes a moment unless it is stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// Locks the directory.
fn lock(directory: &File) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() > end => {
                let why = "another sansim holds it, which may be stopped";
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The directory, which nobody else may use, locked: no lab comes or goes meanwhile.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    _lock: File,
}

impl Root {
    /// Opens the directory; makes it if it is not there.
    pub(super) fn make(path: &Path) -> Result<Root, PlaceError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(PlaceError::File(path.to_owned(), error))
            }
            _ => Root::open(path)?
                .ok_or_else(|| PlaceError::File(path.to_owned(), io::ErrorKind::NotFound.into())),
        }
    }

    /// Opens the directory. `None` if it is not there.
    pub(super) fn open(path: &Path) -> Result<Option<Root>, PlaceError> {
        let failed = |error: io::Error| PlaceError::File(path.to_owned(), error);
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let directory = match rustix::fs::open(path, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            // A link, or a file.
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                return Err(PlaceError::Unsafe(path.to_owned()));
            }
            opened => File::from(opened.map_err(|error| failed(error.into()))?),
        };
        let meta = directory.metadata().map_err(failed)?;
        if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o077 != 0 {
            return Err(PlaceError::Unsafe(path.to_owned()));
        }
        lock(&directory).map_err(failed)?;
        Ok(Some(Root { path: path.to_owned(), _lock: directory }))
    }

    /// The names of all places, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| check(name).is_ok()).collect();
        names.sort();
        names
    }

    /// Removes the places of labs that have ended.
    pub(super) fn sweep(&self) {
        for name in self.names() {
            let directory = self.path.join(name);
            let ended = match File::open(directory.join(LOCK)) {
                Ok(lock) => lock.try_lock().is_ok(),
                // It was killed before it had a lock.
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            };
            if ended && let Err(error) = fs::remove_dir_all(&directory) {
                tracing::debug!("cannot remove {}: {error}", directory.display());
            }
        }
    }
}
