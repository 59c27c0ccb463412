//! The directory that holds the places of all labs of a user.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use super::{LOCK, PlaceError, check};

/// Where it is: in `$XDG_RUNTIME_DIR`, or else in `/tmp`, where every shell of the user finds it.
pub(super) fn path() -> PathBuf {
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match given.filter(|path| path.is_absolute() && path.is_dir()) {
        Some(path) => path.join("sansim"),
        None => format!("/tmp/sansim-{}", rustix::process::geteuid().as_raw()).into(),
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
        directory.lock().map_err(failed)?;
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
