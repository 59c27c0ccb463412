//! `lab.json`: what a lab is.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::PlaceError;

/// The name of the file.
pub(super) const ABOUT: &str = "lab.json";

/// What a lab is, for those who look for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The process.
    pub pid: u32,
    /// The name of the lab.
    pub name: String,
    /// The title of the scenario.
    pub title: String,
    /// The address of the page, with its token.
    pub address: String,
    /// The directory with the lab's events, console and summary.
    pub directory: PathBuf,
    /// When it was started, in seconds since 1970.
    pub started: u64,
}

impl About {
    /// Writes the file, for its owner only: the address is a key.
    pub(super) fn write(&self, directory: &Path) -> Result<(), PlaceError> {
        let (fresh, path) = (directory.join("lab.json.new"), directory.join(ABOUT));
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::from);
        let mut open = OpenOptions::new();
        open.write(true).create(true).truncate(true).mode(0o600);
        text.and_then(|text| open.open(&fresh)?.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|error| PlaceError::File(path, error))
    }

    /// `None` if the file is not there or is another one.
    pub(super) fn read(path: &Path) -> Option<About> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}
