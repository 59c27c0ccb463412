//! Single files out of something large: a directory, a Debian package, a tar archive.
//!
//! Nothing is unpacked to disk. An archive is read only until all that is wanted was found, and all is bounded: a file of
//! a kilobyte can hold a terabyte of zeros.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};
use tar::EntryType;

use super::{
    archive::plain_name,
    decompress::{Compression, decompress, plain},
    kernel::debian_packages,
};
use crate::{LabError, Result};

/// Most bytes that an archive is unpacked to while it is searched. The debug packages of a kernel have some 6 GB.
const MOST_UNPACKED: u64 = 32 << 30;
/// Most bytes of a file that is wanted.
const LARGEST: u64 = 256 << 20;
/// Most files of a directory or archive. A kernel's tree has some 100 000, and twice as many when it is built.
const MOST_FILES: usize = 2_000_000;
/// How deep directories are searched.
const DEEPEST: usize = 32;
/// Longest name of a file in an archive.
const LONGEST_NAME: u64 = 4096;

/// What is looked for.
pub trait Search {
    /// Whether a file may be wanted, by its path in the directory or archive.
    fn is_wanted(&self, path: &str) -> bool;
    /// Takes a file that may be wanted: its path and its contents, unpacked. Breaks when nothing else is wanted.
    fn take(&mut self, path: &str, bytes: Vec<u8>) -> ControlFlow<()>;
}

/// Looks for files in a directory, in a Debian package, or in a tar archive, packed or not. Symbolic links in them are not
/// followed.
///
/// # Errors
/// If it cannot be read, is none of these, or is damaged.
pub fn search(path: &Path, search: &mut dyn Search) -> Result<()> {
    let unreadable = || LabError::file("cannot read", path);
    let about = fs::metadata(path).map_err(unreadable())?;
    if about.is_dir() {
        return directory(path, search).map_err(unreadable());
    }
    if !about.is_file() {
        let why = io::Error::other("it is neither a directory nor a regular file");
        return Err(unreadable()(why));
    }
    if debian_packages::is_package(path) {
        return debian_packages::read(path, |tar| {
            let found = archive(&mut *tar, true, search)?;
            // What is behind the archive's end is read, too: a package that is cut short is damaged.
            if found.is_continue() {
                io::copy(&mut tar.take(MOST_UNPACKED), &mut io::sink())?;
            }
            Ok(found)
        });
    }
    let file = File::open(path).map_err(unreadable())?;
    archive(BufReader::new(file), false, search).map(|_| ()).map_err(unreadable())
}

/// Searches a tar archive. In a package there may be another one: that of sources.
fn archive(
    reader: impl BufRead,
    in_package: bool,
    search: &mut dyn Search,
) -> io::Result<ControlFlow<()>> {
    // Extensions of names are read here, since the library reads them whatever their length.
    let mut tar = tar::Archive::new(plain(reader)?.take(MOST_UNPACKED));
    let mut long_name = None;
    for (count, entry) in tar.entries()?.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| damaged(count, &error))?;
        if count > MOST_FILES {
            return Err(io::Error::other("it has too many files"));
        }
        let kind = entry.header().entry_type();
        if kind == EntryType::GNULongName {
            let mut name = Vec::new();
            entry.take(LONGEST_NAME).read_to_end(&mut name)?;
            long_name = Some(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned());
            continue;
        }
        let name = match long_name.take() {
            Some(name) => PathBuf::from(name),
            None => entry.path()?.into_owned(),
        };
        let name = plain_name(&name);
        let found = if !kind.is_file() {
            ControlFlow::Continue(())
        } else if in_package && name.ends_with(".tar.xz") {
            archive(BufReader::new(entry), false, search)?
        } else if search.is_wanted(&name) {
            let bytes = bounded(&mut entry)?;
            search.take(&name, unpacked(bytes)?)
        } else {
            ControlFlow::Continue(())
        };
        if found.is_break() {
            return Ok(found);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Why an entry of an archive, which comes after so many others, cannot be read. The library's own words can be those of
/// the archive.
fn damaged(count: usize, error: &io::Error) -> io::Error {
    let why = match count {
        0 => "it is neither a directory nor a package or tar archive".to_owned(),
        _ => format!("it is damaged behind its first {count} files"),
    };
    io::Error::new(error.kind(), why)
}

/// Searches a directory.
fn directory(top: &Path, search: &mut dyn Search) -> io::Result<()> {
    let mut waiting = vec![(top.to_owned(), 0)];
    let mut seen = 0;
    while let Some((dir, depth)) = waiting.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if dir == top => return Err(error),
            // What the user may not read is not theirs.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_FILES {
                return Err(io::Error::other("it has too many files"));
            }
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
            if kind.is_dir() && depth < DEEPEST {
                waiting.push((path, depth + 1));
            } else if kind.is_file()
                && search.is_wanted(&name)
                && search.take(&name, unpacked(bounded(open(&path)?)?)?).is_break()
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Opens a regular file, and nothing that has taken its place.
fn open(path: &Path) -> io::Result<File> {
    // Without NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

fn bounded(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(io::Error::other(format!("a file is larger than {} MiB", LARGEST >> 20))),
        false => Ok(bytes),
    }
}

/// A file that may be packed, as modules are.
fn unpacked(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    match Compression::of(&bytes) {
        Some(how) => decompress(how, &bytes, LARGEST),
        None => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
