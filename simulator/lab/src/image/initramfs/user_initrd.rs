//! A user's initramfs: concatenated cpio archives, each compressed or not, as the kernel accepts them
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::image::{
    decompress::{Compression, decompress_first, not_understood},
    modules::is_module,
};

/// Largest uncompressed size, in bytes.
const LARGEST: u64 = 1 << 30;
/// Size of a header in bytes: a magic number and thirteen fields of eight hex digits.
const HEADER: usize = 110;
const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
/// Indexes of the fields that are read.
const MODE: usize = 1;
const FILE_SIZE: usize = 6;
const NAME_SIZE: usize = 11;
/// Name of the last entry in an archive.
const TRAILER: &str = "TRAILER!!!";
/// File types in `st_mode`.
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// Most symbolic links that are followed, as in the kernel (MAXSYMLINKS).
const MOST_LINKS: usize = 40;

/// A file, directory or link in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Without leading `./` or `/`.
    name: String,
    mode: u32,
    /// The whole entry, as it was read.
    raw: Vec<u8>,
    /// Position of the file's contents, or of the link's target, in `raw`.
    data: Range<usize>,
}

impl Entry {
    fn data(&self) -> &[u8] {
        &self.raw[self.data.clone()]
    }

    /// Whether the agent's archive replaces this file: a module or module index of this release.
    fn is_replaced(&self, release: &str) -> bool {
        let index = self.name.rsplit('/').next().is_some_and(|file| file.starts_with("modules."));
        let own = in_modules(&self.name).is_some_and(|(of, _)| of == release);
        self.mode & TYPE != DIRECTORY && own && (index || is_module(&self.name))
    }
}

/// Splits a path below `lib/modules` into release and the rest.
fn in_modules(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("usr/").unwrap_or(name).strip_prefix("lib/modules/")?.split_once('/')
}

/// The entries, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserInitrd {
    entries: Vec<Entry>,
}

impl UserInitrd {
    /// Parses an initramfs; accepts any bytes.
    ///
    /// # Errors
    /// A sentence that says why it is not an initramfs.
    pub(crate) fn parse(file: &[u8]) -> Result<UserInitrd, String> {
        let mut entries = Vec::new();
        let mut rest = file;
        let mut room = LARGEST;
        while let Some(start) = rest.iter().position(|byte| *byte != 0) {
            rest = &rest[start..];
            if is_archive(rest) {
                take_archive(&mut rest, &mut entries)?;
                continue;
            }
            let how = Compression::of(rest).ok_or_else(|| what_it_is_not(rest))?;
            let plain = decompress_first(how, &mut rest, room)
                .map_err(|e| format!("it cannot be unpacked: {e}"))?;
            room -= plain.len() as u64;
            take_archives(&plain, &mut entries)?;
        }
        if entries.is_empty() {
            return Err("there is nothing in it".into());
        }
        Ok(UserInitrd { entries })
    }

    /// An uncompressed archive without the files that the agent's archive replaces.
    pub(crate) fn archive(&self, release: &str) -> Vec<u8> {
        let kept = self.entries.iter().filter(|entry| !entry.is_replaced(release));
        kept.flat_map(|entry| &entry.raw).copied().collect()
    }

    /// The modules for a release, by path below `lib/modules/RELEASE`.
    ///
    /// # Errors
    /// A sentence: the modules are for another release.
    pub(crate) fn modules(&self, release: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let mut found = BTreeMap::new();
        for entry in self.entries.iter().filter(|e| is_module(&e.name) && e.mode & TYPE == REGULAR)
        {
            match in_modules(&entry.name) {
                Some((of, place)) if of == release => {
                    found.insert(place.to_owned(), entry.data().to_vec());
                }
                Some((of, _)) => {
                    return Err(format!("its modules are of {of}, and the kernel is {release}"));
                }
                None => {}
            }
        }
        Ok(found)
    }

    /// The directories and symbolic links.
    pub(crate) fn layout(&self) -> Layout {
        let mut layout = Layout::default();
        for entry in &self.entries {
            // A later entry replaces an earlier one of the same name.
            layout.links.remove(&entry.name);
            layout.directories.remove(&entry.name);
            if entry.mode & TYPE == LINK {
                let target = String::from_utf8_lossy(entry.data()).into_owned();
                layout.links.insert(entry.name.clone(), target);
            } else if entry.mode & TYPE == DIRECTORY {
                layout.directories.insert(entry.name.clone());
            }
        }
        layout
    }
}

/// The directories of an archive, and the symbolic links to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    links: BTreeMap<String, String>,
    directories: BTreeSet<String>,
}

impl Layout {
    pub(crate) fn has_directory(&self, name: &str) -> bool {
        self.directories.contains(name)
    }

    /// Resolves symbolic links in a name: `lib/a` becomes `usr/lib/a` if `lib` is a link to `usr/lib`.
    pub(crate) fn resolve(&self, name: &str) -> String {
        let mut todo: Vec<String> = name.split('/').rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut followed = 0;
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => drop(done.pop()),
                _ => done.push(part),
            }
            let Some(target) = self.links.get(&done.join("/")) else { continue };
            if followed == MOST_LINKS {
                return name.to_owned();
            }
            followed += 1;
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            todo.extend(target.split('/').rev().map(str::to_owned));
        }
        done.join("/")
    }
}

fn is_archive(bytes: &[u8]) -> bool {
    MAGICS.iter().any(|magic| bytes.starts_with(magic))
}

fn what_it_is_not(bytes: &[u8]) -> String {
    not_understood(bytes).unwrap_or_else(|| {
        "it is no cpio archive (format newc), plain or packed with gzip, xz or zstd".into()
    })
}

/// Parses uncompressed archives with zero bytes between them.
fn take_archives(bytes: &[u8], entries: &mut Vec<Entry>) -> Result<(), String> {
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|byte| *byte != 0) {
        rest = &rest[start..];
        take_archive(&mut rest, entries)?;
    }
    Ok(())
}

/// Parses one archive and advances `rest` to the first byte after it.
fn take_archive(rest: &mut &[u8], entries: &mut Vec<Entry>) -> Result<(), String> {
    loop {
        let (entry, size) = entry(rest)?;
        *rest = rest.get(size..).unwrap_or_default();
        if entry.name == TRAILER {
            return Ok(());
        }
        entries.push(entry);
    }
}

/// Parses the first entry. Returns it with its size in bytes.
fn entry(bytes: &[u8]) -> Result<(Entry, usize), String> {
    if !is_archive(bytes) {
        return Err(what_it_is_not(bytes));
    }
    let cut = || "it is damaged: a file in it does not end".to_owned();
    let number = |index: usize| {
        let at = 6 + index * 8;
        let digits = std::str::from_utf8(bytes.get(at..at + 8)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let sizes = (number(MODE), number(NAME_SIZE), number(FILE_SIZE));
    let (Some(mode), Some(name_size), Some(file_size)) = sizes else {
        return Err("it is damaged: a header in it has no numbers".into());
    };
    let name_end = HEADER + name_size as usize;
    let data_start = name_end.next_multiple_of(4);
    let data_end = data_start + file_size as usize;
    let name = bytes.get(HEADER..name_end).ok_or_else(cut)?;
    let name = String::from_utf8_lossy(name.split(|b| *b == 0).next().unwrap_or_default());
    let data = match file_size {
        // The last entry may lack its padding.
        0 => 0..0,
        _ => data_start..data_end,
    };
    bytes.get(data.clone()).ok_or_else(cut)?;
    let size = data_end.next_multiple_of(4);
    let mut raw = bytes.get(..size).unwrap_or(bytes).to_vec();
    raw.resize(size, 0);
    let name = name.trim_start_matches("./").trim_matches('/').to_owned();
    Ok((Entry { name, mode, raw, data }, size))
}

#[cfg(test)]
mod tests;
