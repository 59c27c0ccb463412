//! Where the labs of this host are: a directory for each, with its socket and what it is.

mod about;
mod error;
mod root;

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use self::{about::ABOUT, root::Root};
pub use self::{about::About, error::PlaceError};

/// Locked while the lab lives. The kernel releases the lock when the process ends for any reason.
const LOCK: &str = "lock";
/// The socket of the API.
const SOCKET: &str = "api.sock";
/// The longest name of a lab.
const LONGEST_NAME: usize = 32;
/// The size of the kernel's `sun_path`, with the zero at its end.
const SUN_PATH: usize = 108;

/// The place of a lab that this process runs. Removed when it is dropped.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    directory: PathBuf,
    name: String,
    _lock: File,
}

/// A lab that lives on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The socket of its API.
    pub socket: PathBuf,
    /// What it is; `None` while it starts.
    pub about: Option<About>,
}

impl Place {
    /// Claims a name on this host: `[a-z0-9][a-z0-9-]*`, at most 32 characters.
    ///
    /// # Errors
    /// If the name is none or is taken, or the directory cannot be made or is not safe.
    pub fn claim(name: &str) -> Result<Place, PlaceError> {
        Place::claim_in(&root::path(), name)
    }

    fn claim_in(root: &Path, name: &str) -> Result<Place, PlaceError> {
        check(name)?;
        let directory = root.join(name);
        let socket = directory.join(SOCKET);
        if socket.as_os_str().len() >= SUN_PATH {
            return Err(PlaceError::TooLong(socket));
        }
        let locked = Root::make(root)?;
        locked.sweep();
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| PlaceError::File(path, error)
        };
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(PlaceError::Taken(name.to_owned()));
            }
            made => made.map_err(failed(&directory))?,
        }
        let file = directory.join(LOCK);
        let lock = File::create(&file).map_err(failed(&file))?;
        lock.lock().map_err(failed(&file))?;
        Ok(Place { root: root.to_owned(), directory, name: name.to_owned(), _lock: lock })
    }

    /// The name of the lab.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the socket of the API is to be.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Says what the lab is. From now on it is found.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn publish(&self, about: &About) -> Result<(), PlaceError> {
        about.write(&self.directory)
    }

    /// The labs that live, by name. Removes what killed ones have left.
    ///
    /// # Errors
    /// If the directory is not safe, or cannot be read.
    pub fn labs() -> Result<Vec<Found>, PlaceError> {
        labs_in(&root::path())
    }

    /// The lab of this name; without a name, the only one.
    ///
    /// # Errors
    /// If there is none, if there are several and none was named, or if it still starts.
    pub fn find(name: Option<&str>) -> Result<Found, PlaceError> {
        find_in(&root::path(), name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // With the root locked, so that nobody sees half of it.
        let _locked = Root::open(&self.root);
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            tracing::debug!("cannot remove {}: {error}", self.directory.display());
        }
    }
}

fn labs_in(root: &Path) -> Result<Vec<Found>, PlaceError> {
    let Some(locked) = Root::open(root)? else { return Ok(Vec::new()) };
    locked.sweep();
    let found = |name: String| {
        let directory = root.join(&name);
        Found { socket: directory.join(SOCKET), about: About::read(&directory.join(ABOUT)), name }
    };
    Ok(locked.names().into_iter().map(found).collect())
}

fn find_in(root: &Path, name: Option<&str>) -> Result<Found, PlaceError> {
    name.map_or(Ok(()), check)?;
    let mut labs = labs_in(root)?;
    let names: Vec<_> = labs.iter().map(|lab| lab.name.clone()).collect();
    let index = match name {
        Some(name) => names.iter().position(|it| it == name),
        None if labs.len() > 1 => return Err(PlaceError::Several(names)),
        None => (!labs.is_empty()).then_some(0),
    };
    let lab = match (index, name) {
        (Some(index), _) => labs.swap_remove(index),
        (None, Some(name)) if !names.is_empty() => {
            return Err(PlaceError::Unknown { name: name.to_owned(), there: names });
        }
        (None, _) => return Err(PlaceError::None),
    };
    match lab.about {
        Some(_) => Ok(lab),
        None => Err(PlaceError::Starting(lab.name)),
    }
}

fn check(name: &str) -> Result<(), PlaceError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=LONGEST_NAME).contains(&name.len());
    let right = name.bytes().all(|byte| letter(byte) || byte == b'-') && !name.starts_with('-');
    if fits && right { Ok(()) } else { Err(PlaceError::Name(name.to_owned())) }
}

#[cfg(test)]
mod tests;
